package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// atOnce is how many watches are opened at a time.
const atOnce = 32

// watch is a watch that has given its first event.
type watch struct {
	*client
	answer *http.Response
}

// runWatches does what standard input says, line by line, and answers each with a line:
//
//	open N    open watches until there are N, each with its first event
//	kept N    ask N times on one kept connection; median and 99th percentile in ms
//	new N     ask N times on a connection each; the same
//	event     have the upstream send an event, and wait until every watch has got it
func runWatches(s settings) error {
	var watches []watch
	for line := range lines() {
		command, argument, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(argument)
		began := time.Now()
		var figures map[string]any
		var err error
		switch command {
		case "open":
			var opened []watch
			opened, err = s.openWatches(n - len(watches))
			watches = append(watches, opened...)
			figures = map[string]any{"open": len(watches), "seconds": time.Since(began).Seconds()}
		case "kept":
			figures, err = s.askKept(n)
		case "new":
			figures, err = s.askNew(n)
		case "event":
			err = s.awaitEvent(watches)
			figures = map[string]any{"seconds": time.Since(began).Seconds()}
		default:
			err = fmt.Errorf("unknown command %q", line)
		}
		if err != nil {
			return err
		}
		say(figures)
	}
	return nil
}

func (s settings) openWatches(n int) ([]watch, error) {
	opened := make([]watch, n)
	left := make(chan int, n)
	for i := range n {
		left <- i
	}
	close(left)
	request := head("GET", watchPath, s.tokens[0])
	count, err := each(atOnce, func(count *int) error {
		for i := range left {
			connection, err := dial(s.address)
			if err != nil {
				return err
			}
			response, err := connection.begin(request, http.StatusOK)
			if err != nil {
				return err
			}
			opened[i] = watch{connection, response}
			if err := opened[i].takeEvent(); err != nil {
				return err
			}
			*count++
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("of %d watches to open %d did: %w", n, count, err)
	}
	return opened, nil
}

// takeEvent reads one event, a line.
func (w watch) takeEvent() error {
	if err := expect(w.answer.Body, event, make([]byte, len(event))); err != nil {
		return fmt.Errorf("a watch: %w", err)
	}
	return nil
}

func (s settings) awaitEvent(watches []watch) error {
	if err := once(s.address, head("POST", eventPath, s.tokens[0], "Content-Length: 0"), http.StatusOK); err != nil {
		return err
	}
	for i, w := range watches {
		w.SetDeadline(time.Now().Add(patience))
		if err := w.takeEvent(); err != nil {
			return fmt.Errorf("%d of %d watches got their second event: %w", i, len(watches), err)
		}
	}
	return nil
}

func (s settings) askKept(n int) (map[string]any, error) {
	connection, err := dial(s.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	request := head("GET", s.path, s.tokens[0])
	return latencies(n, func() error {
		_, err := connection.ask(request, s.status)
		return err
	})
}

func (s settings) askNew(n int) (map[string]any, error) {
	request := head("GET", s.path, s.tokens[0])
	return latencies(n, func() error { return once(s.address, request, s.status) })
}

func latencies(n int, ask func() error) (map[string]any, error) {
	var taken []time.Duration
	for range n {
		began := time.Now()
		if err := ask(); err != nil {
			return nil, err
		}
		taken = append(taken, time.Since(began))
	}
	return map[string]any{"p50": milliseconds(taken, 50), "p99": milliseconds(taken, 99)}, nil
}

// broadcast tells all watches of the upstream that there is an event.
type broadcast struct {
	mutex sync.Mutex
	next  chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.next
}

func (b *broadcast) send() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// answerWatch is the upstream's end: an event at once, and one whenever there is one.
func (u *upstream) answerWatch(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	flusher := http.NewResponseController(w)
	for {
		happened := u.events.wait()
		if _, err := w.Write(event); err != nil || flusher.Flush() != nil {
			return
		}
		select {
		case <-happened:
		case <-r.Context().Done():
			return
		}
	}
}
