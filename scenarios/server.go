package scenarios

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/coldcurve/coldcurve/analysis/strict"
)

// Server is the configuration of a runtime that is served: how it treats
// instances, and what invokes functions by itself.
type Server struct {
	Platform  Platform // reference
	Schedules []Timer
	Folders   []Folder
}

// Timer is when which function is invoked.
type Timer struct {
	Name       string
	Function   string // name, or name:qualifier
	Expression string // rate(...), cron(...) or at(...)
	Input      []byte // JSON; nil is EventBridge's own event
}

// Folder is a folder whose new files a function is told of, as S3 does.
type Folder struct {
	Bucket         string
	Folder         string // resolved against the file's own
	Prefix, Suffix string
	Function       string // name, or name:qualifier
}

// expressions are texts that parse has nothing against.
func expressions(parse func(string) error) form[string] {
	f := texts()
	read := f.Read
	f.Read = func(r *reader, v strict.Value) (string, bool) {
		text, ok := read(r, v)
		if !ok {
			return "", false
		}
		if err := parse(text); err != nil {
			v.Fault(err.Error(), "see the EventBridge expressions, for example cron(0 10 ? * MON-FRI *)")
			return "", false
		}
		return text, true
	}
	return f
}

func serverFields(parse func(expression string) error) fields[Server] {
	schedule := fields[Timer]{
		key("name", names(), func(s *Timer) *string { return &s.Name }, "what it is called").Must(),
		key("function", texts(), func(s *Timer) *string { return &s.Function }, "who is invoked: name, or name:qualifier").Must(),
		key("expression", expressions(parse), func(s *Timer) *string { return &s.Expression },
			"when: rate(5 minutes), cron(0 10 ? * MON-FRI *) or at(2026-11-22T10:00:00), in UTC").Must(),
		key("input", documents(), func(s *Timer) *[]byte { return &s.Input }, "what it gets; the default is EventBridge's own event"),
	}
	folder := fields[Folder]{
		key("bucket", names(), func(f *Folder) *string { return &f.Bucket }, "what the function is told as the bucket").Must(),
		key("folder", texts(), func(f *Folder) *string { return &f.Folder }, "whose new files it is told of").Must(),
		key("prefix", texts(), func(f *Folder) *string { return &f.Prefix }, "of the names that count; the default is all"),
		key("suffix", texts(), func(f *Folder) *string { return &f.Suffix }, "of the names that count; the default is all"),
		key("function", texts(), func(f *Folder) *string { return &f.Function }, "who is invoked: name, or name:qualifier").Must(),
	}
	return fields[Server]{
		{
			Name: "platform", Doc: "the policy, in the keys of a scenario's platform", Example: "{name: reference, keep_alive: 5m}",
			Schema: platformFields().Object(referencePlatform),
			Read: func(r *reader, v strict.Value, s *Server) {
				if m, ok := v.Map("platform"); ok {
					s.Platform = r.platform(m)
				}
				if s.Platform.Name != referencePlatform {
					v.Fault("platform "+s.Platform.Name+" cannot be served", "write name: reference")
				}
			},
		},
		{
			Name: "schedules", Doc: "what is invoked by the clock", Example: "[]", Schema: strict.ListSchema(schedule.Object("")),
			Read: func(r *reader, v strict.Value, s *Server) {
				s.Schedules, _ = readList(r, v, "schedules", "a schedule", schedule)
			},
		},
		{
			Name: "folders", Doc: "what is invoked by files that appear", Example: "[]", Schema: strict.ListSchema(folder.Object("")),
			Read: func(r *reader, v strict.Value, s *Server) {
				s.Folders, _ = readList(r, v, "folders", "a folder", folder)
				for i := range s.Folders {
					s.Folders[i].Folder = r.path(s.Folders[i].Folder)
				}
			},
		},
	}
}

// ServerSchemaJSON is the JSON Schema of the file that LoadServer reads.
func ServerSchemaJSON() []byte {
	root := serverFields(nil).Object("")
	return root.Document("coldcurve serve", "How a runtime that is served treats instances, and what invokes functions by itself.")
}

// LoadServer reads a runtime's configuration; parse says what is wrong with a
// schedule's expression. An error in it is a [Faults].
func LoadServer(path string, parse func(expression string) error) (Server, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Server{}, fmt.Errorf("read the configuration: %w", err)
	}
	r := &reader{file: path, dir: filepath.Dir(path)}
	s := Server{Platform: defaultPlatform(referencePlatform)}
	root, ok := strict.Parse(text, r.faults.Collect(r.file))
	if m, isMap := root.Map("the configuration"); ok && isMap {
		serverFields(parse).Into(&s, r, m, "the configuration", "")
	}
	return s, r.faults.Err()
}
