package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// newVerifier reads the issuer's keys once, and verifies against them from then on. go-oidc's own
// key set would ask the issuer again at every bad signature.
func newVerifier(ctx context.Context, issuer, caFile, clientID string) (*oidc.IDTokenVerifier, error) {
	pool, err := certPool(caFile)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, client), issuer)
	if err != nil {
		return nil, err
	}
	var discovery struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := provider.Claims(&discovery); err != nil {
		return nil, err
	}
	keys, err := fetchKeys(ctx, client, discovery.JWKSURI)
	if err != nil {
		return nil, err
	}
	config := &oidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{oidc.RS256}}
	return oidc.NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: keys}, config), nil
}

// fetchKeys gives the keys for RS256 in the key set at url.
func fetchKeys(ctx context.Context, client *http.Client, url string) ([]crypto.PublicKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	var keys []crypto.PublicKey
	for _, key := range set.Keys {
		if key.Algorithm == string(jose.RS256) {
			keys = append(keys, key.Key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no key for RS256", url)
	}
	return keys, nil
}

func certPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return pool, nil
}
