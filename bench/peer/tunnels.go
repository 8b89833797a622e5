package main

import (
	"io"
	"net/http"
	"time"
)

// After the 101, a byte of either kind is what the client says; goOn has the upstream send the content
// once, and is what the upstream says when it has got the content once.
const goOn = '+'

const upgrade = "Connection: Upgrade\r\nUpgrade: websocket"

// runTunnelDown takes the content through one tunnel again and again for a time.
func runTunnelDown(s settings) error {
	buffer := make([]byte, pieceBytes)
	return s.tunnel("down", func(c *client) error {
		if _, err := c.Write([]byte{goOn}); err != nil {
			return err
		}
		return expect(c.reader, s.content, buffer)
	})
}

// runTunnelUp sends the content through one tunnel again and again for a time.
func runTunnelUp(s settings) error {
	return s.tunnel("up", func(c *client) error {
		if err := send(c, s.content); err != nil {
			return err
		}
		return expect(c.reader, []byte{goOn}, make([]byte, 1))
	})
}

func (s settings) tunnel(direction string, one func(*client) error) error {
	connection, err := dial(s.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	request := head("GET", s.path+"?direction="+direction, s.tokens[0], upgrade)
	if _, err := connection.begin(request, http.StatusSwitchingProtocols); err != nil {
		return err
	}
	return s.repeat(func() error {
		connection.SetDeadline(time.Now().Add(patience))
		return one(connection)
	})
}

// answerTunnel is the upstream's end: it agrees, and then does as long as the client goes on.
func (u *upstream) answerTunnel(w http.ResponseWriter, r *http.Request) {
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusHTTPVersionNotSupported)
		return
	}
	defer connection.Close()
	io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\n"+upgrade+"\r\n\r\n")
	buffer := make([]byte, pieceBytes)
	for {
		if r.URL.Query().Get("direction") == "down" {
			if expect(buffered, []byte{goOn}, buffer) != nil || send(connection, u.content) != nil {
				return
			}
			continue
		}
		if expect(buffered, u.content, buffer) != nil {
			return
		}
		if _, err := connection.Write([]byte{goOn}); err != nil {
			return
		}
	}
}
