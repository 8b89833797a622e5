// Command peer is both ends of the benchmark that nginx and wrk can't be: an API server that takes
// uploads, holds watches and speaks through tunnels, and the clients of these. Each command prints
// lines of JSON; whatever isn't exactly as it should be ends it with a sentence and status 1.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"time"
)

// settings are the flags of all commands; each uses some of them.
type settings struct {
	address     string
	path        string
	tokens      []string
	content     []byte
	connections int
	status      int
	pace        int
	duration    time.Duration
	server      serverSettings
}

var commands = map[string]func(settings) error{
	"upstream":    serveUpstream,
	"requests":    runRequests,
	"flood":       runFlood,
	"connections": runConnections,
	"download":    runDownload,
	"upload":      runUpload,
	"tunnel-down": runTunnelDown,
	"tunnel-up":   runTunnelUp,
	"watches":     runWatches,
	"version":     func(settings) error { say(runtime.Version()); return nil },
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("peer: ")
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		log.Fatal("the first argument is not one of its commands")
	}
	s, err := parse(os.Args[1], os.Args[2:])
	if err == nil {
		err = commands[os.Args[1]](s)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func parse(command string, arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	flags.StringVar(&s.address, "address", "127.0.0.1:0", "where the proxy serves, or the upstream is to")
	flags.StringVar(&s.path, "path", "/", "path to ask for")
	tokenFile := flags.String("token-file", "", "bearer tokens, one a line")
	contentFile := flags.String("content-file", "", "what is downloaded and uploaded")
	flags.IntVar(&s.connections, "connections", 1, "how many at a time")
	flags.IntVar(&s.status, "status", 200, "status that answers must have")
	flags.IntVar(&s.pace, "pace", 0, "requests a second in all; 0 is as many as go")
	flags.DurationVar(&s.duration, "duration", time.Second, "how long to go on")
	flags.StringVar(&s.server.certificate, "certificate", "", "certificate of the upstream")
	flags.StringVar(&s.server.key, "key", "", "its key")
	flags.StringVar(&s.server.credentialFile, "credential-file", "", "bearer token of the proxy")
	flags.StringVar(&s.server.user, "user", "", "user that the proxy must impersonate")
	flags.StringVar(&s.server.answerFile, "answer-file", "", "answer to a small request")
	flags.Parse(arguments)
	if *tokenFile != "" {
		text, err := os.ReadFile(*tokenFile)
		if err != nil {
			return s, err
		}
		s.tokens = strings.Fields(string(text))
		if len(s.tokens) == 0 {
			return s, fmt.Errorf("%s: no token in it", *tokenFile)
		}
	}
	if *contentFile != "" {
		content, err := os.ReadFile(*contentFile)
		if err != nil {
			return s, err
		}
		s.content = content
	}
	return s, nil
}

// say prints a line of JSON.
func say(figures any) {
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		log.Fatal(err)
	}
}

// lines gives each line of standard input; it is closed when that ends.
func lines() <-chan string {
	given := make(chan string)
	go func() {
		defer close(given)
		for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
			given <- scanner.Text()
		}
	}()
	return given
}
