package reference_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference"
	"github.com/coldcurve/coldcurve/platform/reference/engine"
)

func parseFlags(t *testing.T, args []string) (reference.ServeOptions, error) {
	t.Helper()
	var flags reference.ServeFlags
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return flags.Options(reference.DefaultSettings())
}

func TestArgsAreWhatTheFlagsRead(t *testing.T) {
	tests := map[string]reference.Settings{
		"defaults of the client": {},
		"everything": {
			Policy: lifecycle.Policy{
				KeepAlive: 90*time.Second + time.Millisecond, Concurrency: 7, StartBurst: 3, StartEvery: 80 * time.Millisecond,
				QueueLimit: 9, QueueTimeout: 1500 * time.Microsecond, LateBinding: true,
			},
			Sandboxes: []string{"namespace", "process"}, Stock: map[platform.Runtime]int{platform.NodeJS: 2}, Memory: 4 << 30,
			StartDelay: map[platform.Runtime]engine.StartDelay{platform.Go: {Quantiles: []engine.Quantile{{Share: .5, Delay: time.Second}}}},
			Faults:     []platform.Fault{{Function: "f", Kind: platform.Kill, Share: .05, Delay: time.Millisecond}}, Seed: 7,
			AllowAnyLocalUser: true, NoCgroups: true, Region: "eu-central-1", Cache: "/tmp/some where",
		},
		"kept for ever": {Policy: lifecycle.Policy{KeepAlive: -1}},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlags(t, want.Args())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Settings); diff != "" {
				t.Errorf("%q (-want +got):\n%s", want.Args(), diff)
			}
		})
	}
}

func TestFlagsForOtherAddresses(t *testing.T) {
	for _, args := range []string{
		"--addr=0.0.0.0:9001 --keys=k --tls-cert=c --tls-key=k", "--addr=:9001 --keys=k --allow-plain-http", "--addr=[::1]:9001",
	} {
		if _, err := parseFlags(t, strings.Fields(args)); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestServeFlagsWithoutArguments(t *testing.T) {
	got, err := parseFlags(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := reference.Settings{Policy: lifecycle.Policy{KeepAlive: 10 * time.Minute, Concurrency: 1000}}
	if diff := cmp.Diff(want, got.Settings); diff != "" || got.Addr != "127.0.0.1:9001" {
		t.Errorf("address %s, settings (-want +got):\n%s", got.Addr, diff)
	}
}

func TestFlagsThatCannotBeRead(t *testing.T) {
	tests := []struct{ args, want string }{
		{"--keep-alive=10", "--keep-alive"},
		{"--start-rate=fast", "--start-rate"},
		{"--start-burst=5", "start every"},
		{"--queue=-1", "queue limit"},
		{"--direct-fd=99", "--direct-fd"},
		{"--api-fd=99", "--api-fd"},
		{"--addr=0.0.0.0:9001", "--keys"},
		{"--addr=:9001 --tls-cert=c --tls-key=k", "--keys"},
		{"--addr=[::]:9001 --allow-plain-http", "--keys"},
		{"--addr=10.0.0.1:9001 --allow-any-local-user", "--keys"},
		{"--addr=0.0.0.0:9001 --keys=k", "--allow-plain-http"},
		{"--addr=0.0.0.0:9001 --keys=k --tls-cert=c", "go together"},
		{"--max-connections=-1", "--max-connections"},
		{"--region=Frankfurt", "--region"},
	}
	for _, tt := range tests {
		if _, err := parseFlags(t, strings.Fields(tt.args)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one about %q", tt.args, err, tt.want)
		}
	}
}
