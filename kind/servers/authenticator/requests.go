package main

import (
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// requested is a request's first line, and who sends it where a policy is asked about it.
type requested struct {
	Method string   `json:"method"`
	Target string   `json:"target"`
	Policy string   `json:"policy"`
	User   string   `json:"user"`
	Groups []string `json:"groups"`
}

// read is what a request is about.
type read struct {
	Verb        string `json:"verb"`
	Path        string `json:"path"`
	IsResource  bool   `json:"is_resource"`
	APIPrefix   string `json:"api_prefix"`
	APIGroup    string `json:"api_group"`
	APIVersion  string `json:"api_version"`
	Namespace   string `json:"namespace"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
	Name        string `json:"name"`
}

var resolver = request.RequestInfoFactory{
	APIPrefixes:          sets.NewString("apis", "api"),
	GrouplessAPIPrefixes: sets.NewString("api"),
}

// policies keeps the last policy: many requests are asked about each.
type policies struct {
	text  string
	wrong string
	rules audit.PolicyRuleEvaluator
}

func (p *policies) take(text string) {
	if p.text == text && text != "" {
		return
	}
	p.text, p.wrong, p.rules = text, "", nil
	loaded, err := policy.LoadPolicyFromBytes([]byte(text))
	if err != nil {
		p.wrong = err.Error()
		return
	}
	p.rules = policy.NewPolicyRuleEvaluator(loaded)
}

func (p *policies) answer(asked *requested) answer {
	target, err := url.ParseRequestURI(asked.Target)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	info, err := resolver.NewRequestInfo(&http.Request{Method: asked.Method, URL: target})
	if err != nil {
		return answer{Refused: err.Error()}
	}
	said := answer{Read: &read{
		info.Verb, info.Path, info.IsResourceRequest, info.APIPrefix, info.APIGroup,
		info.APIVersion, info.Namespace, info.Resource, info.Subresource, info.Name,
	}}
	if asked.Policy == "" {
		return said
	}
	p.take(asked.Policy)
	if p.wrong != "" {
		return answer{Wrong: p.wrong}
	}
	rule := p.rules.EvaluatePolicyRule(authorizer.AttributesRecord{
		User:            &user.DefaultInfo{Name: asked.User, Groups: asked.Groups},
		Verb:            info.Verb,
		Namespace:       info.Namespace,
		APIGroup:        info.APIGroup,
		APIVersion:      info.APIVersion,
		Resource:        info.Resource,
		Subresource:     info.Subresource,
		Name:            info.Name,
		ResourceRequest: info.IsResourceRequest,
		Path:            info.Path,
	})
	said.Level = string(rule.Level)
	said.Omitted = policy.ConvertStagesToStrings(rule.OmitStages)
	return said
}
