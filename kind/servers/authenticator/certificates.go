package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	request "k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// shown is what a client has come with, in DER, and whose word counts, in PEM.
type shown struct {
	Authorities string   `json:"authorities"`
	Chain       [][]byte `json:"chain"`
}

// who says whom the certificate names, as kube-apiserver does with its --client-ca-file.
func (s shown) who() answer {
	authorities, err := dynamiccertificates.NewStaticCAContent("authorities", []byte(s.Authorities))
	if err != nil {
		return answer{Wrong: err.Error()}
	}
	state := &tls.ConnectionState{}
	for _, der := range s.Chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return answer{Refused: err.Error()} // it would be the end of the handshake
		}
		state.PeerCertificates = append(state.PeerCertificates, certificate)
	}
	judge := request.NewDynamic(authorities.VerifyOptions, request.CommonNameUserConversion)
	asking := (&http.Request{TLS: state}).WithContext(context.Background())
	found, ok, err := judge.AuthenticateRequest(asking)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	if !ok {
		return answer{}
	}
	return known(found)
}

// served is a row of certificates that a server shows, and what a client asks for.
type served struct {
	Pairs   []pair `json:"pairs"`
	Name    string `json:"name"`
	Address string `json:"address"`
}

type pair struct {
	Certificate string   `json:"certificate"`
	Key         string   `json:"key"`
	Names       []string `json:"names"`
}

// place says which of them the client gets, as kube-apiserver does with its --tls-sni-cert-key.
func (s served) place() (int, error) {
	first, err := dynamiccertificates.NewStaticCertKeyContent(
		"first", []byte(s.Pairs[0].Certificate), []byte(s.Pairs[0].Key))
	if err != nil {
		return 0, err
	}
	var others []dynamiccertificates.SNICertKeyContentProvider
	for _, each := range s.Pairs[1:] {
		other, err := dynamiccertificates.NewStaticSNICertKeyContent(
			"other", []byte(each.Certificate), []byte(each.Key), each.Names...)
		if err != nil {
			return 0, err
		}
		others = append(others, other)
	}
	controller := dynamiccertificates.NewDynamicServingCertificateController(
		&tls.Config{}, nil, first, others, nil)
	if err := controller.RunOnce(); err != nil {
		return 0, err
	}
	leaf, err := s.shakeHands(&tls.Config{GetConfigForClient: controller.GetConfigForClient})
	if err != nil {
		return 0, err
	}
	for place, each := range s.Pairs {
		known, err := tls.X509KeyPair([]byte(each.Certificate), []byte(each.Key))
		if err != nil {
			return 0, err
		}
		if bytes.Equal(known.Certificate[0], leaf) {
			return place, nil
		}
	}
	return 0, errors.New("it is none of them")
}

func (s served) shakeHands(config *tls.Config) ([]byte, error) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	address := &net.TCPAddr{IP: net.ParseIP(s.Address), Port: 443}
	go tls.Server(reached{far, address}, config).Handshake()
	client := tls.Client(near, &tls.Config{ServerName: s.Name, InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates[0].Raw, nil
}

// reached is a connection to an address of one's own.
type reached struct {
	net.Conn
	address net.Addr
}

func (r reached) LocalAddr() net.Addr { return r.address }
