// Command authenticator is Kubernetes' own authenticators without a server around them: the judge of
// what koproxy makes of an AuthenticationConfiguration, of certificates, of requests' first lines and of
// audit policies.
//
// It reads lines of JSON, and answers each with one. A line has a configuration, as text, and may
// have claims: those of a token that is taken to be signed, since keys are not what is judged here.
// Or it has what a client has shown, what a server shows, or what was asked for; or it asks what
// functions expressions have.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/pkg/authentication/token/union"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// question is a line that is read.
type question struct {
	Configuration string          `json:"configuration"`
	Claims        json.RawMessage `json:"claims"`
	Shown         *shown          `json:"shown"`
	Served        *served         `json:"served"`
	Requested     *requested      `json:"requested"`
	Functions     bool            `json:"functions"`
}

// answer is a line that is written: what is wrong with the configuration, or with the token, or who
// it is.
type answer struct {
	Wrong    string              `json:"wrong,omitempty"`
	Panic    string              `json:"panic,omitempty"`
	Refused  string              `json:"refused,omitempty"`
	Username string              `json:"username,omitempty"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
	Place    int                 `json:"place,omitempty"`
	Read     *read               `json:"read,omitempty"`
	Level    string              `json:"level,omitempty"`
	Omitted  []string            `json:"omitted,omitempty"`

	Functions map[string][]string `json:"functions,omitempty"`
}

const longestLine = 16 << 20

func main() {
	judge := newJudge()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	written := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(written)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(fmt.Errorf("a line that is no question: %w", err))
		}
		if err := errors.Join(encoder.Encode(judge.answer(asked)), written.Flush()); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "authenticator: %v\n", err)
	os.Exit(1)
}

// judge keeps the authenticators of the last configuration: many tokens are asked about each.
type judge struct {
	decoder       runtime.Decoder
	compiler      authenticationcel.Compiler
	configuration string
	wrong         string
	tokens        authenticator.Token
	policies      policies
	end           context.CancelFunc
}

func newJudge() *judge {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return &judge{
		decoder:  serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder(),
		compiler: authenticationcel.NewDefaultCompiler(),
		end:      func() {},
	}
}

func (j *judge) answer(asked question) (said answer) {
	defer func() {
		if problem := recover(); problem != nil {
			j.configuration = ""
			said = answer{Panic: fmt.Sprint(problem)}
		}
	}()
	if asked.Shown != nil {
		return asked.Shown.who()
	}
	if asked.Requested != nil {
		return j.policies.answer(asked.Requested)
	}
	if asked.Functions {
		found, err := functions()
		if err != nil {
			return answer{Wrong: err.Error()}
		}
		return answer{Functions: found}
	}
	if asked.Served != nil {
		place, err := asked.Served.place()
		if err != nil {
			return answer{Wrong: err.Error()}
		}
		return answer{Place: place}
	}
	if asked.Configuration != j.configuration || j.configuration == "" {
		j.wrong = ""
		if err := j.take(asked.Configuration); err != nil {
			j.wrong = err.Error()
		}
		j.configuration = asked.Configuration
	}
	if j.wrong != "" || len(asked.Claims) == 0 {
		return answer{Wrong: j.wrong}
	}
	return j.who(asked.Claims)
}

// take decodes and validates as kube-apiserver does with its file, and makes the authenticators.
func (j *judge) take(configuration string) error {
	j.end()
	decoded, err := runtime.Decode(j.decoder, []byte(configuration))
	if err != nil {
		return err
	}
	found, ok := decoded.(*apiserver.AuthenticationConfiguration)
	if !ok {
		return fmt.Errorf("%T is no AuthenticationConfiguration", decoded)
	}
	if err := validation.ValidateAuthenticationConfiguration(j.compiler, found, nil).ToAggregate(); err != nil {
		return err
	}
	lifecycle, end := context.WithCancel(context.Background())
	j.end = end
	var tokens []authenticator.Token
	for _, entry := range found.JWT {
		// Somewhere to discover keys and given keys exclude each other.
		entry.Issuer.DiscoveryURL = ""
		token, err := oidc.New(lifecycle, oidc.Options{
			JWTAuthenticator:     entry,
			Client:               &http.Client{Transport: nowhere{}},
			KeySet:               trusting{},
			Compiler:             j.compiler,
			SupportedSigningAlgs: oidc.AllValidSigningAlgorithms(),
		})
		if err != nil {
			return err
		}
		tokens = append(tokens, token)
	}
	j.tokens = union.NewFailOnError(tokens...)
	return nil
}

func (j *judge) who(claims json.RawMessage) answer {
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims) + "." + encode([]byte("none"))
	found, ok, err := j.tokens.AuthenticateToken(context.Background(), token)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	if !ok {
		return answer{Refused: "no issuer knows it"}
	}
	return known(found)
}

func known(found *authenticator.Response) answer {
	return answer{
		Username: found.User.GetName(),
		UID:      found.User.GetUID(),
		Groups:   found.User.GetGroups(),
		Extra:    found.User.GetExtra(),
	}
}

// nowhere is the way to the issuers that distributed claims name: nothing is fetched here.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nothing is fetched")
}

// trusting takes every token for signed.
type trusting struct{}

func (trusting) VerifySignature(_ context.Context, token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("it has not three parts")
	}
	return base64.RawURLEncoding.DecodeString(parts[1])
}
