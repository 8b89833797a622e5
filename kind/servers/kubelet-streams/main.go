// Command kubelet-streams answers what kube-apiserver asks of a kubelet: exec, attach, logs and
// port-forward, by the kubelet's own streaming libraries. It has no containers: every stream is
// joined to a process on this machine, so it may only listen on loopback, and it serves nobody but
// the owner of a certificate of the given authority.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

const (
	idle     = 4 * time.Hour // as a kubelet has it
	creation = remotecommand.DefaultStreamCreationTimeout
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "loopback `address` to listen on")
	certificate := flag.String("tls-cert-file", "", "PEM `file` of the serving certificate")
	key := flag.String("tls-private-key-file", "", "PEM `file` of its key")
	authority := flag.String("client-ca-file", "", "PEM `file` of who signs kube-apiserver's certificate")
	logFile := flag.String("log-file", "", "`file` that is the log of every container")
	ports := map[int32][]string{}
	flag.Func("port", "`NUMBER=COMMAND` that every pod runs for each connection to that port",
		func(value string) error {
			number, command, _ := strings.Cut(value, "=")
			port, err := strconv.ParseInt(number, 10, 32)
			ports[int32(port)] = strings.Fields(command)
			return err
		})
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	machine := &machine{serving: ctx, ports: ports}
	server := &http.Server{
		Handler:     handler(machine, *logFile),
		TLSConfig:   onlyFor(*authority),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		log.Fatalf("%s is not on loopback: whoever is served runs commands here", *address)
	}
	go func() { log.Fatal(server.ServeTLS(lingering{listener}, *certificate, *key)) }()
	log.Printf("serving on %s", listener.Addr())
	<-ctx.Done()
	machine.running.Wait()
}

// onlyFor gives a TLS configuration that wants a client certificate signed by the authority.
func onlyFor(authority string) *tls.Config {
	pem, err := os.ReadFile(authority)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		log.Fatalf("%s has no certificate in it", authority)
	}
	return &tls.Config{ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert}
}

// handler serves the paths of a kubelet that kube-apiserver asks for.
func handler(machine *machine, logFile string) http.Handler {
	paths := http.NewServeMux()
	paths.HandleFunc("/exec/{namespace}/{pod}/{container}",
		func(w http.ResponseWriter, r *http.Request) {
			options, err := remotecommand.NewOptions(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			remotecommand.ServeExec(w, r, machine, r.PathValue("pod"), "", r.PathValue("container"),
				r.URL.Query()["command"], options, idle, creation,
				remotecommand.SupportedStreamingProtocols)
		})
	paths.HandleFunc("/attach/{namespace}/{pod}/{container}",
		func(w http.ResponseWriter, r *http.Request) {
			options, err := remotecommand.NewOptions(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			remotecommand.ServeAttach(w, r, machine, r.PathValue("pod"), "",
				r.PathValue("container"), options, idle, creation,
				remotecommand.SupportedStreamingProtocols)
		})
	paths.HandleFunc("/portForward/{namespace}/{pod}",
		func(w http.ResponseWriter, r *http.Request) {
			options, err := portforward.NewV4Options(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			portforward.ServePortForward(w, r, machine, r.PathValue("pod"), "", options, idle,
				creation, portforward.SupportedProtocols)
		})
	paths.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}",
		func(w http.ResponseWriter, r *http.Request) {
			command := []string{"tail", "-n", "+1", logFile}
			if lines := r.FormValue("tailLines"); lines != "" {
				command[2] = lines
			}
			if follow, _ := strconv.ParseBool(r.FormValue("follow")); follow {
				command = append(command, "--follow")
			}
			machine.run(r.Context(), command, nil, flushing{w}, nil)
		})
	return paths
}

// flushing sends each piece at once.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(piece []byte) (int, error) {
	written, err := f.ResponseWriter.Write(piece)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return written, err
}
