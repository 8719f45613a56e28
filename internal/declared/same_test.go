package declared

import "testing"

// What an edit did to anything but the part is found, in every format.
func TestSame(t *testing.T) {
	part := [][]string{{"a", "b"}}
	for name, tt := range map[string]struct {
		format, before, after string
		want                  bool
	}{
		"only the part":        {formatJSON, `{"a": {"b": [1], "c": 1}}`, `{"a": {"c": 1, "b": "x"}}`, true},
		"the part is new":      {formatYAML, "c: 1\n", "c: 1\na:\n  b: [x]\n", true},
		"the part had nothing": {formatYAML, "a:\nc: 1\n", "a: {b: [x]}\nc: 1\n", true},
		"an empty file":        {formatTOML, "", "[a]\nb = 1\n", true},
		"a member more":        {formatJSON, `{"a": {}}`, `{"a": {"c": 1}}`, false},
		"a member less":        {formatJSON, `{"a": {"b": 1}, "c": 1}`, `{"a": {"b": 1}}`, false},
		"a null less":          {formatYAML, "a: {b: 1}\nc:\n", "a: {b: 1}\n", false},
		"another text":         {formatTOML, "c = 'x'\n", "c = 'y'\n", false},
		"another form":         {formatTOML, "c = '1'\n", "c = 1\n", false},
		"another item":         {formatYAML, "c: [1, 2]\n", "c: [1, 3]\n", false},
		"an item less":         {formatYAML, "c: [1, 2]\n", "c: [1]\n", false},
		"within a list":        {formatYAML, "c: [{b: 1}]\n", "c: [{b: 2}]\n", false},
	} {
		before, wrong := parse(&Kind{}, tt.format, "f", []byte(tt.before))
		after, also := parse(&Kind{}, tt.format, "f", []byte(tt.after))
		if len(wrong)+len(also) > 0 {
			t.Errorf("%s: %v %v", name, wrong, also)
			continue
		}
		if got := same(before.root, after.root, part); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
