package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// machine runs the processes that stand for containers; all of them end with `serving`.
type machine struct {
	serving context.Context
	ports   map[int32][]string
	running sync.WaitGroup
}

// ExecInContainer runs the command, on a terminal if one is asked for.
func (m *machine) ExecInContainer(ctx context.Context, _, _, _ string, command []string,
	in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize,
	_ time.Duration) error {
	if tty {
		return m.runOnTerminal(ctx, command, in, out, resize)
	}
	return m.run(ctx, command, in, out, errOut)
}

// AttachContainer joins the streams to a `cat`: what is typed comes back until it ends.
func (m *machine) AttachContainer(ctx context.Context, pod, uid, container string, in io.Reader,
	out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return m.ExecInContainer(ctx, pod, uid, container, []string{"cat"}, in, out, errOut, tty,
		resize, 0)
}

// PortForward runs the port's command with the stream as its input and output.
func (m *machine) PortForward(ctx context.Context, _, _ string, port int32,
	stream io.ReadWriteCloser) error {
	command, found := m.ports[port]
	if !found {
		return fmt.Errorf("connection refused: nothing listens on port %d", port)
	}
	return m.run(m.serving, command, stream, stream, nil)
}

// run gives what has failed, or the exit status other than 0 as a utilexec.ExitError, by which it
// reaches the client. The end of `in` is the end of the command's input.
func (m *machine) run(ctx context.Context, command []string, in io.Reader,
	out, errOut io.Writer) error {
	m.running.Add(1)
	defer m.running.Done()
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Stdout, process.Stderr = out, errOut
	if in != nil {
		// Not process.Stdin: Wait would then wait for the client's end of input, too.
		input, err := process.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			io.Copy(input, in)
			input.Close()
		}()
	}
	if err := process.Start(); err != nil {
		return err
	}
	return status(process.Wait())
}

func (m *machine) runOnTerminal(ctx context.Context, command []string, in io.Reader,
	out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	m.running.Add(1)
	defer m.running.Done()
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	terminal, err := pty.Start(process)
	if err != nil {
		return err
	}
	defer terminal.Close()
	go func() {
		for size := range resize {
			pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go io.Copy(terminal, in)
	}
	io.Copy(out, terminal) // ends when no process has the terminal any more
	return status(process.Wait())
}

// status turns how a process has ended into what the streaming libraries pass on; one that a signal
// has killed has 128 and the signal's number, as with containers.
func status(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	code := ended.ExitCode()
	if how := ended.Sys().(syscall.WaitStatus); how.Signaled() {
		code = 128 + int(how.Signal())
	}
	return utilexec.CodeExitError{Err: err, Code: code}
}
