package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// patience is how long a client waits for anything.
const patience = 20 * time.Second

// config is the same handshake with every proxy: TLS as OpenSSL and Go both speak it, each time from
// its beginning. Who the proxy is has been seen before; here it would only cost the load's core time.
var config = &tls.Config{
	InsecureSkipVerify: true,
	CurvePreferences:   []tls.CurveID{tls.X25519},
}

// client is one connection to the proxy, for one request at a time.
type client struct {
	*tls.Conn
	reader *bufio.Reader
}

func dial(address string) (*client, error) {
	plain, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	connection := tls.Client(plain, config)
	connection.SetDeadline(time.Now().Add(patience))
	if err := connection.Handshake(); err != nil {
		plain.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &client{connection, bufio.NewReaderSize(connection, 4096)}, nil
}

// head writes a request's head; each of more is a whole header line.
func head(method, path, token string, more ...string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n", method, path, token)
	for _, line := range more {
		text.WriteString(line + "\r\n")
	}
	text.WriteString("\r\n")
	return text.Bytes()
}

// begin sends a request and reads the answer's head; it must have the status.
func (c *client) begin(request []byte, status int) (*http.Response, error) {
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(request); err != nil {
		return nil, fmt.Errorf("sending a request: %w", err)
	}
	return c.answer(status)
}

func (c *client) answer(status int) (*http.Response, error) {
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, fmt.Errorf("waiting for an answer: %w", err)
	}
	if response.StatusCode != status {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		return nil, fmt.Errorf("an answer of %s, not %d: %s", response.Status, status, text)
	}
	return response, nil
}

// ask sends a request and reads the whole answer. The second result says whether the connection can
// be used again.
func (c *client) ask(request []byte, status int) (reusable bool, err error) {
	response, err := c.begin(request, status)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, fmt.Errorf("reading an answer: %w", err)
	}
	return !response.Close, nil
}

// expect reads until it has seen all of content, and fails at the first byte that differs.
func expect(from io.Reader, content, buffer []byte) error {
	for len(content) > 0 {
		n, err := from.Read(buffer[:min(len(buffer), len(content))])
		if !bytes.Equal(buffer[:n], content[:n]) {
			return errors.New("bytes came that nobody sent")
		}
		content = content[n:]
		if err != nil && len(content) > 0 {
			return fmt.Errorf("%d bytes before the end: %w", len(content), err)
		}
	}
	return nil
}

// milliseconds gives a percentile of durations, which it sorts.
func milliseconds(durations []time.Duration, percentile int) float64 {
	slices.Sort(durations)
	return durations[(len(durations)-1)*percentile/100].Seconds() * 1000
}
