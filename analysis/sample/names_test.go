package sample_test

import (
	"encoding"
	"fmt"
	"strings"
	"testing"

	"github.com/coldcurve/coldcurve/analysis/sample"
)

func TestNamesReadBack(t *testing.T) {
	for _, s := range sample.Starts() {
		readsBack(t, s, new(sample.Start))
	}
	for g := sample.NoGrade; g <= sample.Attested; g++ {
		readsBack(t, g, new(sample.Grade))
	}
	for e := sample.NoError; e <= sample.Cancelled; e++ {
		readsBack(t, e, new(sample.ErrorKind))
	}
}

func readsBack[T comparable, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, v T, back P) {
	t.Helper()
	text, err := any(v).(encoding.TextMarshaler).MarshalText()
	if err != nil {
		t.Fatalf("marshal %v: %v", v, err)
	}
	if string(text) != strings.ToLower(fmt.Sprint(v)) {
		t.Errorf("%v is marshalled as %q", v, text)
	}
	if err := back.UnmarshalText(text); err != nil || *back != v {
		t.Errorf("%q reads back as %v, %v", text, *back, err)
	}
}

func TestNamesAreTheDocumentedOnes(t *testing.T) {
	got := fmt.Sprint(sample.Starts(), sample.NoGrade, sample.Inferred, sample.Beacon, sample.Observed, sample.Attested)
	want := "[unknown warm cold queued prewarmed provisioned restored] none inferred beacon observed attested"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	var kinds []string
	for e := sample.NoError; e <= sample.Cancelled; e++ {
		kinds = append(kinds, e.String())
	}
	want = ",dropped,throttled,timeout,handler,init,crash,oom,payload,refused,platform,network,cancelled"
	if got := strings.Join(kinds, ","); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	if _, err := sample.ParseStart("lukewarm"); err == nil || !strings.Contains(err.Error(), "write one of unknown, warm, cold,") {
		t.Errorf("ParseStart(lukewarm): %v", err)
	}
	if _, err := sample.ParseGrade(""); err == nil {
		t.Error("the empty grade was accepted")
	}
	if _, err := sample.ParseErrorKind("boom"); err == nil || !strings.Contains(err.Error(), "write one of dropped,") {
		t.Errorf("ParseErrorKind(boom): %v", err)
	}
	if _, err := sample.Start(99).MarshalText(); err == nil {
		t.Error("Start(99) was marshalled")
	}
	if got := sample.ErrorKind(99).String(); got != "ErrorKind(99)" {
		t.Errorf("ErrorKind(99) is written %q", got)
	}
}

func TestOnlyEvidenceIsBelieved(t *testing.T) {
	for g := sample.NoGrade; g <= sample.Attested; g++ {
		s := sample.Sample{Start: sample.Cold, Grade: g}
		want := sample.Cold
		if g == sample.NoGrade || g == sample.Inferred {
			want = sample.Unknown
		}
		if got := s.Believed(); got != want {
			t.Errorf("a cold start with grade %v is believed to be %v, want %v", g, got, want)
		}
	}
}
