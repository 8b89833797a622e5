package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
)

// identity is what the claims of a token make of a caller.
type identity struct {
	Username string   `json:"sub"`
	Groups   []string `json:"groups"`
}

type identityKey struct{}

// proxy verifies a request's token, and lets a ReverseProxy send the request with the identity.
type proxy struct {
	verifier *oidc.IDTokenVerifier
	reverse  *httputil.ReverseProxy
}

func newProxy(verifier *oidc.IDTokenVerifier, upstream *url.URL, credential string, transport http.RoundTripper) *proxy {
	authorization := "Bearer " + credential
	return &proxy{
		verifier: verifier,
		reverse: &httputil.ReverseProxy{
			Transport:  transport,
			BufferPool: newBufferPool(),
			Rewrite: func(r *httputil.ProxyRequest) {
				caller := r.In.Context().Value(identityKey{}).(*identity)
				r.SetURL(upstream)
				r.SetXForwarded()
				r.Out.Header.Set("Authorization", authorization)
				r.Out.Header.Set("Impersonate-User", caller.Username)
				r.Out.Header["Impersonate-Group"] = caller.Groups
			},
		},
	}
}

// ServeHTTP answers 401 and 403 itself; everything else is the API server's answer.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	verified, err := p.verifier.Verify(r.Context(), token)
	if err != nil {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Impersonate-") { // net/http has made them canonical
			http.Error(w, "Impersonation requests are disabled", http.StatusForbidden)
			return
		}
	}
	caller := new(identity)
	if err := verified.Claims(caller); err != nil || caller.Username == "" {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	p.reverse.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, caller)))
}

func newTransport(caFile string, maxIdleConnsPerHost int, http2 bool) (http.RoundTripper, error) {
	pool, err := certPool(caFile)
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // upgrades need it, beside HTTP/2 too
	protocols.SetHTTP2(http2)
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool},
		Protocols:           protocols,
		MaxIdleConnsPerHost: maxIdleConnsPerHost,
		DisableCompression:  true, // what the client asks for is what it gets
	}, nil
}

// bufferPool keeps the buffers that bodies are copied through.
type bufferPool struct{ pool sync.Pool }

const bufferBytes = 32 * 1024

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { return new([bufferBytes]byte) }}}
}

func (b *bufferPool) Get() []byte  { return b.pool.Get().(*[bufferBytes]byte)[:] }
func (b *bufferPool) Put(p []byte) { b.pool.Put((*[bufferBytes]byte)(p)) }
