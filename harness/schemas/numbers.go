// Prints what OpenAPI doesn't say of Kubernetes' API types, as JSON: what an empty object of each
// kind looks like ("zero"), and the numbers of fields in protobuf ("numbers"),
//
// {type: {"fields": {name in JSON: number}, "inline": {number: the same of another type},
// "omit": [name in JSON]}}, where an inline type is a message of its own in protobuf and not in
// JSON, and omit has the fields that protobuf writes when they are zero and JSON doesn't.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

type numbers struct {
	Fields map[string]int      `json:"fields"`
	Inline map[string]*numbers `json:"inline,omitempty"`
	Omit   []string            `json:"omit,omitempty"`
}

func main() {
	if err := apiextensions.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	found := map[string]*numbers{}
	for _, known := range scheme.Scheme.AllKnownTypes() {
		walk(known, found)
	}
	for _, more := range []any{metav1.DeleteOptions{}, metav1.Status{}, metav1.PatchOptions{}} {
		walk(reflect.TypeOf(more), found)
	}
	zero := map[string]any{}
	for _, known := range scheme.Scheme.AllKnownTypes() {
		if _, ok := known.FieldByName("ObjectMeta"); ok {
			zero[known.PkgPath()+"."+known.Name()] = reflect.New(known).Interface()
		}
	}
	said := map[string]any{"numbers": found, "zero": zero}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
}

func walk(kind reflect.Type, found map[string]*numbers) {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || !strings.HasPrefix(kind.PkgPath(), "k8s.io/") {
		return
	}
	name := kind.PkgPath() + "." + kind.Name()
	if found[name] != nil {
		return
	}
	of := &numbers{Fields: map[string]int{}, Inline: map[string]*numbers{}}
	found[name] = of
	for i := range kind.NumField() {
		field := kind.Field(i)
		number, ok := numberOf(field)
		json := strings.Split(field.Tag.Get("json"), ",")[0]
		if !ok {
			continue
		}
		walk(field.Type, found)
		if json != "" && json != "-" {
			of.Fields[json] = number
			if omitted(field) {
				of.Omit = append(of.Omit, json)
			}
			continue
		}
		if field.Type.Kind() != reflect.Struct {
			continue // a type that writes its own JSON
		}
		of.Inline[strconv.Itoa(number)] = found[field.Type.PkgPath()+"."+field.Type.Name()]
	}
}

func omitted(field reflect.StructField) bool {
	if !strings.Contains(field.Tag.Get("json"), ",omit") {
		return false
	}
	switch field.Type.Kind() {
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64:
		return true
	}
	return false
}

func numberOf(field reflect.StructField) (int, bool) {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0, false
	}
	number, err := strconv.Atoi(parts[1])
	return number, err == nil
}
