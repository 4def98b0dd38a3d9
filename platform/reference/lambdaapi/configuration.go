package lambdaapi

import (
	"math"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// Configuration is Lambda's account of a version of a function.
type Configuration struct {
	FunctionName               string
	FunctionArn                string
	Runtime                    string `json:",omitempty"` // not of an image
	Role                       string `json:",omitempty"`
	Handler                    string `json:",omitempty"`
	CodeSize                   int64  // bytes
	Description                string
	Timeout                    int64 // seconds, rounded up
	MemorySize                 int64 // MB
	LastModified               string
	CodeSha256                 string `json:",omitempty"`
	Version                    string
	Environment                *Environment `json:",omitempty"`
	TracingConfig              tracingConfig
	RevisionId                 string //nolint:revive // Lambda's spelling
	State                      catalog.State
	StateReason                string               `json:",omitempty"`
	StateReasonCode            string               `json:",omitempty"`
	LastUpdateStatus           catalog.UpdateStatus `json:",omitempty"`
	LastUpdateStatusReason     string               `json:",omitempty"`
	LastUpdateStatusReasonCode string               `json:",omitempty"`
	PackageType                string
	Architectures              []string
	EphemeralStorage           EphemeralStorage
	SnapStart                  snapStart
	LoggingConfig              loggingConfig
	Sandbox                    string `json:",omitempty"` // coldcurve's own, as the next
	Start                      string `json:",omitempty"`
}

type tracingConfig struct{ Mode string }

type snapStart struct{ ApplyOn, OptimizationStatus string }

type loggingConfig struct{ LogFormat, LogGroup string }

// timeFormat is Lambda's of most dates.
const timeFormat = "2006-01-02T15:04:05.000-0700"

func configurationOf(f *catalog.Function) Configuration {
	c := Configuration{
		FunctionName: f.Name, FunctionArn: f.ARN, Role: f.Role, Handler: f.Handler,
		CodeSize: int64(f.Package.Size), CodeSha256: f.Package.SHA256, Description: f.Description,
		Timeout:      int64(math.Ceil(f.Timeout.Seconds())),
		MemorySize:   int64(f.Memory) >> 20,
		LastModified: f.Modified.UTC().Format(timeFormat),
		Version:      f.Version, RevisionId: f.Revision,
		State: f.State, StateReason: f.StateReason, StateReasonCode: f.StateReasonCode,
		LastUpdateStatus: f.Update, LastUpdateStatusReason: f.UpdateReason, LastUpdateStatusReasonCode: f.UpdateReasonCode,
		PackageType: f.PackageType(), Architectures: []string{f.Architecture},
		EphemeralStorage: EphemeralStorage{Size: int64(f.Storage) >> 20},
		TracingConfig:    tracingConfig{"PassThrough"},
		SnapStart:        snapStart{"None", "Off"},
		LoggingConfig:    loggingConfig{"Text", "/aws/lambda/" + f.Name},
		Sandbox:          f.Sandbox, Start: f.Start,
	}
	if c.PackageType == "Zip" {
		c.Runtime = f.Runtime
	}
	if len(f.Environment) > 0 {
		c.Environment = &Environment{Variables: f.Environment}
	}
	return c
}

func configurationsOf(list []catalog.Function) []Configuration {
	all := make([]Configuration, len(list))
	for i := range list {
		all[i] = configurationOf(&list[i])
	}
	return all
}

// codeLocation is GetFunction's account of the code. Lambda's Location is a
// link for a download; here it is where the files are.
type codeLocation struct {
	RepositoryType   string `json:",omitempty"`
	Location         string `json:",omitempty"`
	ImageURI         string `json:"ImageUri,omitempty"`
	ResolvedImageURI string `json:"ResolvedImageUri,omitempty"`
	LocalFolder      string `json:",omitempty"` // of code that is used in place
}

func locationOf(f *catalog.Function) codeLocation {
	if f.Package.Image != "" {
		return codeLocation{RepositoryType: "ECR", ImageURI: f.Package.Image, ResolvedImageURI: f.Package.Image}
	}
	return codeLocation{RepositoryType: "S3", Location: "file://" + f.Folder, LocalFolder: f.Package.Folder}
}
