package client

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
)

// harness is what the command prints, and how its control is asked.
var harness struct {
	Issuer struct {
		URL   string `json:"url"`
		Token string `json:"token"`
	} `json:"issuer"`
	KubeAPI struct {
		URL        string `json:"url"`
		AdminToken string `json:"admin_token"`
		Kubeconfig string `json:"kubeconfig"`
	} `json:"kube_api"`
	Control struct {
		URL string `json:"url"`
	} `json:"control"`
	CA string `json:"ca_pem"`
}

var trusting *http.Client

func TestMain(m *testing.M) {
	command := exec.Command("koproxy-harness", "both", "harness.yaml", "--until-stdin-closes")
	command.Stderr = os.Stderr
	// The harness ends when this pipe does, and so with this process, however that ends.
	stdin, err := command.StdinPipe()
	check(err)
	stdout, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	check(json.NewDecoder(stdout).Decode(&harness))

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(harness.CA))
	trusting = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	status := m.Run()
	stdin.Close()
	check(command.Wait())
	os.Exit(status)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "the harness could not be started:", err)
		os.Exit(1)
	}
}

// control asks the harness for something; fields and answer are JSON.
func control(t *testing.T, path string, fields, answer any) {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	response, err := trusting.Post(harness.Control.URL+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, response.StatusCode, text, err)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatal(err)
		}
	}
}

// token gives one with these claims; "wrong" among them makes it wrong in one way.
func token(t *testing.T, claims map[string]any) string {
	t.Helper()
	var answer struct{ Token string }
	control(t, "/issuer/token", claims, &answer)
	return answer.Token
}
