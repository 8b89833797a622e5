// relying-party logs somebody in at an OpenID Connect issuer, by the libraries that most programs
// in Go do it with, and prints the ID token as a credential for kubectl:
//
//	relying-party code | device | password
//
// From the environment: ISSUER, CA (a file), CLIENT_ID, CLIENT_SECRET; for `password` USERNAME and
// PASSWORD; else BROWSER, a program that is run with the URL to log in at. It refuses whatever the
// libraries refuse: a wrong signature, audience, nonce, at_hash, another person at userinfo.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	credential, err := logIn(ctx, os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(credential)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "relying-party:", err)
		os.Exit(1)
	}
}

func logIn(ctx context.Context, args []string) (any, error) {
	flows := map[string]func(context.Context, *oauth2.Config, string) (*oauth2.Token, error){
		"code": byCode, "device": byDevice, "password": byPassword,
	}
	if len(args) != 1 || flows[args[0]] == nil {
		return nil, errors.New("say one of code, device and password")
	}
	ca, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	}
	ctx = oidc.ClientContext(ctx, client)
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		return nil, err
	}
	config := &oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		Scopes:       []string{oidc.ScopeOpenID, "email", "groups", oidc.ScopeOfflineAccess},
	}
	nonce := rand.Text()
	token, err := flows[args[0]](ctx, config, nonce)
	if err != nil {
		return nil, err
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	first, err := check(ctx, verifier, token, "")
	if err != nil {
		return nil, err
	}
	if args[0] == "code" && first.Nonce != nonce {
		return nil, fmt.Errorf("the nonce is %q", first.Nonce)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	if info.Subject != first.Subject || info.Email == "" {
		return nil, fmt.Errorf("userinfo tells of %q <%s>", info.Subject, info.Email)
	}
	// What is used in the end comes from a refresh, so that has to work as well.
	old := &oauth2.Token{RefreshToken: token.RefreshToken}
	fresh, err := config.TokenSource(ctx, old).Token()
	if err != nil {
		return nil, err
	}
	if _, err := check(ctx, verifier, fresh, first.Subject); err != nil {
		return nil, err
	}
	if _, err := config.TokenSource(ctx, old).Token(); err == nil {
		return nil, errors.New("a refresh token was good for a second time")
	}
	return map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1",
		"kind":       "ExecCredential",
		"status":     map[string]any{"token": fresh.Extra("id_token")},
	}, nil
}

// check verifies the ID token that came with an access token; `subject` is whom it has to be about.
func check(ctx context.Context, verifier *oidc.IDTokenVerifier, token *oauth2.Token,
	subject string) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	verified, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if subject != "" && verified.Subject != subject {
		return nil, fmt.Errorf("the token is about %q, not %q", verified.Subject, subject)
	}
	return verified, verified.VerifyAccessToken(token.AccessToken)
}

func byCode(ctx context.Context, config *oauth2.Config, nonce string) (*oauth2.Token, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config.RedirectURL = fmt.Sprintf("http://%s/callback", listener.Addr())
	answers := make(chan *http.Request, 1)
	server := &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "You can go back to your program.")
			select {
			case answers <- r:
			default:
			}
		})}
	go server.Serve(listener)
	defer server.Close()
	state, secret := rand.Text(), oauth2.GenerateVerifier()
	url := config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(secret))
	if err := browse(ctx, url); err != nil {
		return nil, err
	}
	select {
	case answer := <-answers:
		if answer.FormValue("state") != state {
			return nil, fmt.Errorf("the state is %q", answer.FormValue("state"))
		}
		if answer.FormValue("iss") != os.Getenv("ISSUER") {
			return nil, fmt.Errorf("the answer is of %q", answer.FormValue("iss"))
		}
		return config.Exchange(ctx, answer.FormValue("code"), oauth2.VerifierOption(secret))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func byDevice(ctx context.Context, config *oauth2.Config, _ string) (*oauth2.Token, error) {
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		return nil, err
	}
	if err := browse(ctx, device.VerificationURIComplete); err != nil {
		return nil, err
	}
	return config.DeviceAccessToken(ctx, device)
}

func byPassword(ctx context.Context, config *oauth2.Config, _ string) (*oauth2.Token, error) {
	return config.PasswordCredentialsToken(ctx, os.Getenv("USERNAME"), os.Getenv("PASSWORD"))
}

func browse(ctx context.Context, url string) error {
	browser := exec.CommandContext(ctx, os.Getenv("BROWSER"), url)
	browser.Stderr = os.Stderr
	return browser.Run()
}
