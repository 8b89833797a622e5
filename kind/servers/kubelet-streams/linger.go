package main

import (
	"io"
	"net"
	"time"
)

// lingering is a listener whose connections, when they are closed, first let the other side read
// all that it was sent: a TCP connection closed while bytes come in is reset, and what is still on
// its way out is lost. The streaming libraries close that way at a command's end.
type lingering struct{ net.Listener }

func (l lingering) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lingeringConn{accepted.(*net.TCPConn)}, nil
}

type lingeringConn struct{ *net.TCPConn }

func (c lingeringConn) Close() error {
	err := c.CloseWrite()
	go func() {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		io.Copy(io.Discard, c.TCPConn)
		c.TCPConn.Close()
	}()
	return err
}
