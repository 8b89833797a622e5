package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// runRequests sends each token once, on kept connections; a proxy that closes one after an answer
// gets a new one.
func runRequests(s settings) error {
	var next atomic.Int64
	began := time.Now()
	counts, err := each(s.connections, func(count *int) error {
		return s.keepAsking(count, func() (string, bool) {
			i := int(next.Add(1)) - 1
			if i >= len(s.tokens) {
				return "", false
			}
			return s.tokens[i], true
		})
	})
	if err != nil {
		return err
	}
	say(map[string]any{"count": counts, "seconds": time.Since(began).Seconds()})
	return nil
}

// runFlood sends the tokens over and over until standard input ends. It says so when it has begun.
func runFlood(s settings) error {
	var next atomic.Int64
	var ended atomic.Bool
	say(map[string]any{"flooding": true})
	go func() {
		for range lines() {
		}
		ended.Store(true)
	}()
	began := time.Now()
	counts, err := each(s.connections, func(count *int) error {
		return s.keepAsking(count, func() (string, bool) {
			i := next.Add(1) - 1
			if s.pace > 0 {
				time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(s.pace))))
			}
			return s.tokens[int(i)%len(s.tokens)], !ended.Load()
		})
	})
	if err != nil {
		return err
	}
	say(map[string]any{"count": counts, "seconds": time.Since(began).Seconds()})
	return nil
}

// runConnections makes a new connection for every request, for a time.
func runConnections(s settings) error {
	request := head("GET", s.path, s.tokens[0])
	began := time.Now()
	counts, err := each(s.connections, func(count *int) error {
		for ; time.Since(began) < s.duration; *count++ {
			if err := once(s.address, request, s.status); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	say(map[string]any{"count": counts, "seconds": time.Since(began).Seconds()})
	return nil
}

// once asks on a connection of its own.
func once(address string, request []byte, status int) error {
	connection, err := dial(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = connection.ask(request, status)
	return err
}

// keepAsking asks with one token after the other, until there is none.
func (s settings) keepAsking(count *int, next func() (string, bool)) error {
	var connection *client
	defer func() {
		if connection != nil {
			connection.Close()
		}
	}()
	for token, more := next(); more; token, more = next() {
		if connection == nil {
			var err error
			if connection, err = dial(s.address); err != nil {
				return err
			}
		}
		reusable, err := connection.ask(head("GET", s.path, token), s.status)
		if err != nil {
			return err
		}
		*count++
		if !reusable {
			connection.Close()
			connection = nil
		}
	}
	return nil
}

// each does the same on so many goroutines, and gives the sum of their counts or the first error.
func each(connections int, work func(count *int) error) (int, error) {
	counts := make([]int, connections)
	problems := make(chan error, connections)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			if err := work(&counts[i]); err != nil {
				problems <- err
			}
		})
	}
	all.Wait()
	close(problems)
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return sum, <-problems
}
