package main

import (
	"fmt"
	"io"
	"time"
)

// pieceBytes is how much a client writes or reads at once.
const pieceBytes = 64 * 1024

// runDownload asks for the content again and again for a time, and looks at every byte.
func runDownload(s settings) error {
	request := head("GET", s.path, s.tokens[0])
	buffer := make([]byte, pieceBytes)
	return s.transfer(func(c *client) error {
		response, err := c.begin(request, s.status)
		if err != nil {
			return err
		}
		if err := expect(response.Body, s.content, buffer); err != nil {
			return err
		}
		rest, err := io.Copy(io.Discard, response.Body)
		if err == nil && rest > 0 {
			err = fmt.Errorf("%d bytes too many came", rest)
		}
		return err
	})
}

// runUpload sends the content again and again for a time; the upstream looks at every byte.
func runUpload(s settings) error {
	length := fmt.Sprintf("Content-Length: %d", len(s.content))
	request := head("POST", s.path, s.tokens[0], "Content-Type: application/json", length)
	return s.transfer(func(c *client) error {
		c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write(request); err != nil {
			return err
		}
		if err := send(c, s.content); err != nil {
			return err
		}
		response, err := c.answer(s.status)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	})
}

// transfer does one thing on one connection again and again for a time.
func (s settings) transfer(one func(*client) error) error {
	connection, err := dial(s.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	return s.repeat(func() error { return one(connection) })
}

// repeat does something until its time is over, and says how often.
func (s settings) repeat(one func() error) error {
	began, count := time.Now(), 0
	for ; count == 0 || time.Since(began) < s.duration; count++ {
		if err := one(); err != nil {
			return err
		}
	}
	say(map[string]any{"count": count, "seconds": time.Since(began).Seconds()})
	return nil
}

func send(to io.Writer, content []byte) error {
	for len(content) > 0 {
		n := min(len(content), pieceBytes)
		if _, err := to.Write(content[:n]); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		content = content[n:]
	}
	return nil
}
