package view

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/scopes"
)

// Schemas are the JSON Schemas (draft 2020-12) of outputs, by name: each is made of the type that is
// printed, so that it says neither more nor less.
func Schemas() map[string]func() []byte {
	schemas := make(map[string]func() []byte)
	for name, output := range map[string]any{
		"audit": auditJSON{}, "doctor": doctorJSON{}, "explain": explainJSON{}, "export": exportJSON{}, "grant": grantJSON{}, "init": initJSON{}, "logins": loginsJSON{}, "matches": matchesJSON{}, "plan": planJSON{}, "run": Run{}, "scopes": scopesJSON{}, "token": tokenJSON{}, "verdict": verdictJSON{},
	} {
		schemas[name] = func() []byte { return outputSchema("ambit."+name+"/v1", reflect.TypeOf(output)) }
	}
	return schemas
}

// outputSchema is the schema of one output. What went wrong early has only the first members.
func outputSchema(title string, t reflect.Type) []byte {
	whole := formOf(t)
	properties := whole["properties"].(map[string]any)
	properties["schema"] = map[string]any{"const": title}
	whole["$schema"], whole["title"] = "https://json-schema.org/draft/2020-12/schema", title
	if t != reflect.TypeFor[verdictJSON]() { // a verdict is never of what went well
		whole["if"] = map[string]any{"properties": map[string]any{"ok": map[string]any{"const": true}}}
		whole["then"] = map[string]any{"required": whole["required"]}
		whole["required"] = []string{"schema", "ok"}
	}
	text, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		panic(err) // it is made of maps and texts
	}
	return append(text, '\n')
}

// formOf is the schema of what encoding/json makes of a type.
func formOf(t reflect.Type) map[string]any {
	switch {
	case t.Kind() == reflect.Pointer:
		return map[string]any{"anyOf": []any{formOf(t.Elem()), map[string]any{"type": "null"}}}
	case t == reflect.TypeFor[Verdict]():
		return formOf(reflect.TypeFor[verdictJSON]())
	case t == reflect.TypeFor[scopes.Set]():
		return formOf(reflect.TypeFor[[]string]())
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Slice:
		return map[string]any{"type": "array", "items": formOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": formOf(t.Elem())}
	case reflect.Struct:
		return objectForm(t)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	}
	return map[string]any{"type": "integer"}
}

// objectForm is the schema of a struct; what is embedded in it stands beside its own members.
func objectForm(t reflect.Type) map[string]any {
	properties, required := make(map[string]any), []string{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			inner := objectForm(field.Type)
			for name, form := range inner["properties"].(map[string]any) {
				properties[name] = form
			}
			required = append(required, inner["required"].([]string)...)
			continue
		case name == "" || name == "-":
			continue
		}
		properties[name] = formOf(field.Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}
