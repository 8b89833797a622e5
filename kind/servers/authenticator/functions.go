package main

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"k8s.io/apiserver/pkg/cel/environment"
)

// functions gives those that expressions have, by their names: the signatures of their overloads, in
// the order in which they are tried.
func functions() (map[string][]string, error) {
	set := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	env, err := set.Env(environment.StoredExpressions)
	if err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for name, function := range env.Functions() {
		for _, overload := range function.OverloadDecls() {
			arguments, target := written(overload.ArgTypes()), ""
			if overload.IsMemberFunction() {
				arguments, target = arguments[1:], arguments[0]+"."
			}
			result := written([]*cel.Type{overload.ResultType()})[0]
			found[name] = append(found[name], fmt.Sprintf(
				"%s%s(%s) -> %s", target, name, strings.Join(arguments, ", "), result))
		}
	}
	return found, nil
}

func written(several []*cel.Type) []string {
	texts := []string{}
	for _, each := range several {
		text := each.TypeName()
		switch each.Kind() {
		case types.DurationKind:
			text = "duration"
		case types.TimestampKind:
			text = "timestamp"
		}
		if parameters := written(each.Parameters()); len(parameters) > 0 {
			text += "<" + strings.Join(parameters, ", ") + ">"
		}
		texts = append(texts, text)
	}
	return texts
}
