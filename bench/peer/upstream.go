package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

const (
	reviewPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
	uploadPath = "/api/v1/namespaces/default/configmaps"
	watchPath  = "/api/v1/watch/namespaces/default/pods"
	eventPath  = "/api/v1/namespaces/default/events"
	tunnelPath = "/api/v1/namespaces/default/pods/web-0/exec"
)

// event is a watch's event of 1 KB.
var event = []byte(`{"type":"BOOKMARK","object":"` + strings.Repeat("x", 992) + "\"}\n")

type serverSettings struct {
	certificate, key string
	credentialFile   string
	user             string
	answerFile       string
}

// upstream is the API server. It answers only who brings the proxy's credential and the user.
type upstream struct {
	authorization string
	user          string
	answer        []byte
	content       []byte
	events        broadcast
}

func serveUpstream(s settings) error {
	credential, err := os.ReadFile(s.server.credentialFile)
	if err != nil {
		return err
	}
	answer, err := os.ReadFile(s.server.answerFile)
	if err != nil {
		return err
	}
	u := &upstream{
		authorization: "Bearer " + strings.TrimSpace(string(credential)),
		user:          s.server.user,
		answer:        answer,
		content:       s.content,
		events:        broadcast{next: make(chan struct{})},
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	fmt.Printf("serving https on %s\n", listener.Addr())
	server := &http.Server{
		Handler: u.handler(),
		// One key exchange for all, since not every proxy knows all of Go's.
		TLSConfig: &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}},
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: 1000}, // as the upstream nginx has
	}
	return server.ServeTLS(listener, s.server.certificate, s.server.key)
}

func (u *upstream) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+watchPath, u.answerWatch)
	mux.HandleFunc("GET "+tunnelPath, u.answerTunnel)
	mux.HandleFunc("POST "+uploadPath, u.answerUpload)
	mux.HandleFunc("POST "+eventPath, func(http.ResponseWriter, *http.Request) { u.events.send() })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(u.answer)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == reviewPath: // the proxy asks about itself
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(`{"status": {"allowed": true}}`))
		case r.Header.Get("Authorization") != u.authorization || r.Header.Get("Impersonate-User") != u.user:
			http.Error(w, "not the proxy's credential and user", http.StatusForbidden)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

func (u *upstream) answerUpload(w http.ResponseWriter, r *http.Request) {
	err := expect(r.Body, u.content, make([]byte, pieceBytes))
	if err == nil {
		if n, _ := r.Body.Read(make([]byte, 1)); n > 0 {
			err = errors.New("bytes too many came")
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusCreated)
}
