// Command reverseproxy is koproxy's job as Go's standard library does it: httputil.ReverseProxy,
// behind a go-oidc verifier that looks at every request's token, with the identity impersonated.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type options struct {
	listen, certificate, key   string
	upstream, upstreamCA       string
	credentialFile             string
	issuer, issuerCA, clientID string
	maxIdleConnsPerHost        int
	http2                      bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("reverseproxy: ")
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to serve HTTPS on")
	flag.StringVar(&o.certificate, "tls-cert-file", "", "certificate to serve with")
	flag.StringVar(&o.key, "tls-private-key-file", "", "its key")
	flag.StringVar(&o.upstream, "upstream", "", "URL of the API server")
	flag.StringVar(&o.upstreamCA, "upstream-ca-file", "", "CA of the API server")
	flag.StringVar(&o.credentialFile, "credential-file", "", "bearer token for the API server")
	flag.StringVar(&o.issuer, "issuer", "", "URL of the OpenID issuer")
	flag.StringVar(&o.issuerCA, "issuer-ca-file", "", "CA of the issuer")
	flag.StringVar(&o.clientID, "client-id", "", "audience that a token must have")
	flag.IntVar(&o.maxIdleConnsPerHost, "max-idle-conns-per-host", http.DefaultMaxIdleConnsPerHost,
		"idle connections to the API server that are kept")
	flag.BoolVar(&o.http2, "http2", false, "speak HTTP/2 to the API server")
	flag.Parse()
	if err := serve(o); err != nil {
		log.Fatal(err)
	}
}

func serve(o options) error {
	starting, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	verifier, err := newVerifier(starting, o.issuer, o.issuerCA, o.clientID)
	if err != nil {
		return err
	}
	upstream, err := url.Parse(o.upstream)
	if err != nil {
		return err
	}
	credential, err := os.ReadFile(o.credentialFile)
	if err != nil {
		return err
	}
	transport, err := newTransport(o.upstreamCA, o.maxIdleConnsPerHost, o.http2)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Printf("serving https on %s\n", listener.Addr())
	server := &http.Server{
		Handler:           newProxy(verifier, upstream, strings.TrimSpace(string(credential)), transport),
		ReadHeaderTimeout: 30 * time.Second,
	}
	return server.ServeTLS(listener, o.certificate, o.key)
}
