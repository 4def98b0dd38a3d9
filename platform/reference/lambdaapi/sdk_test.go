package lambdaapi_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/coldcurve/coldcurve/platform/lifecycle"
	"github.com/coldcurve/coldcurve/platform/reference/lambdaapi"
	"github.com/coldcurve/coldcurve/platform/reference/sigv4"
)

const sdkKeys = "[team]\naws_access_key_id = COLDCURVETESTKEY\naws_secret_access_key = a.secret.of.nobody/that.is.long.enough+\n"

// newSDK serves an API that wants signatures, and gives AWS's own client of it.
func newSDK(t *testing.T, secret string) (*lambda.Client, *world) {
	t.Helper()
	keys, err := sigv4.ParseKeys("keys", strings.NewReader(sdkKeys))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := sigv4.New(sigv4.Options{Keys: keys, Service: "lambda"})
	if err != nil {
		t.Fatal(err)
	}
	w := newRuntime(t, lifecycle.Policy{KeepAlive: time.Minute, Concurrency: 200})
	server := httptest.NewServer(newAPI(t, w, func(o *lambdaapi.Options) { o.Signatures = checker }))
	t.Cleanup(server.Close)
	client := lambda.New(lambda.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "COLDCURVETESTKEY", SecretAccessKey: secret}, nil
		}),
	})
	return client, w
}

const sdkSecret = "a.secret.of.nobody/that.is.long.enough+"

// archive is a deployment package whose content says which one it is.
func archive(t *testing.T, content string) []byte {
	t.Helper()
	var text bytes.Buffer
	z := zip.NewWriter(&text)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := z.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// must gives what an operation answered, or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func createWithSDK(t *testing.T, c *lambda.Client, name string) *lambda.CreateFunctionOutput {
	t.Helper()
	out := must[*lambda.CreateFunctionOutput](t)(c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::000000000000:role/r"), MemorySize: aws.Int32(256), Timeout: aws.Int32(3),
		Environment:   &types.Environment{Variables: map[string]string{"A": "b"}},
		Code:          &types.FunctionCode{ZipFile: archive(t, "one")},
		SnapStart:     &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone},
		VpcConfig:     &types.VpcConfig{},
		Architectures: nil, Tags: map[string]string{"owner": "me"},
	}))
	if err := lambda.NewFunctionActiveV2Waiter(c, quickActive).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return out
}

func quickActive(o *lambda.FunctionActiveV2WaiterOptions) {
	o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond
}

func quickUpdated(o *lambda.FunctionUpdatedV2WaiterOptions) {
	o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond
}

func awaitUpdate(t *testing.T, c *lambda.Client, name string) {
	t.Helper()
	if err := lambda.NewFunctionUpdatedV2Waiter(c, quickUpdated).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestSDKStory is the life of a function as a team's tools drive it: create,
// configure, invoke, publish, shift an alias, roll back, delete.
func TestSDKStory(t *testing.T) {
	c, w := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	created := createWithSDK(t, c, *name)
	if created.State != types.StatePending || created.PackageType != types.PackageTypeZip || aws.ToString(created.CodeSha256) == "" || created.CodeSize == 0 {
		t.Errorf("created: %+v", created)
	}

	updated := must[*lambda.UpdateFunctionConfigurationOutput](t)(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: name, MemorySize: aws.Int32(512), Timeout: aws.Int32(7),
		Environment:      &types.Environment{Variables: map[string]string{"C": "d"}},
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)},
	}))
	awaitUpdate(t, c, *name)
	if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: name, Description: aws.String("late"), RevisionId: created.RevisionId,
	}); errorOf[*types.PreconditionFailedException](err) == nil {
		t.Errorf("an update by an old revision: %v", err)
	}
	got := must[*lambda.GetFunctionConfigurationOutput](t)(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name}))
	if *got.MemorySize != 512 || *got.Timeout != 7 || got.Environment.Variables["C"] != "d" || *got.EphemeralStorage.Size != 1024 ||
		got.LastUpdateStatus != types.LastUpdateStatusSuccessful || updated.LastUpdateStatus != types.LastUpdateStatusInProgress {
		t.Errorf("updated: %+v, then %+v", updated, got)
	}

	invoked := must[*lambda.InvokeOutput](t)(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Payload: []byte(`{"x":1}`), LogType: types.LogTypeTail,
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{}}`)))}))
	log, err := base64.StdEncoding.DecodeString(aws.ToString(invoked.LogResult))
	if err != nil || !bytes.Contains(log, []byte("\nREPORT RequestId: ")) || string(invoked.Payload) != `{"x":1}` || aws.ToString(invoked.ExecutedVersion) != "$LATEST" || invoked.StatusCode != 200 {
		t.Errorf("invoked: %+v, log %q, %v", invoked, log, err)
	}

	first := must[*lambda.PublishVersionOutput](t)(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name, Description: aws.String("first")}))
	alias := must[*lambda.CreateAliasOutput](t)(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: first.Version}))
	must[*lambda.UpdateFunctionCodeOutput](t)(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: archive(t, "two")}))
	awaitUpdate(t, c, *name)
	second := must[*lambda.PublishVersionOutput](t)(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}))
	if *first.Version != "1" || *second.Version != "2" || *first.CodeSha256 == *second.CodeSha256 {
		t.Errorf("versions %+v and %+v", first, second)
	}
	awaitVersion(t, c, *name, "2")

	shifted := must[*lambda.UpdateAliasOutput](t)(c.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: name, Name: alias.Name, RevisionId: alias.RevisionId,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": .1}},
	}))
	if shifted.RoutingConfig.AdditionalVersionWeights["2"] != .1 {
		t.Errorf("shifted: %+v", shifted)
	}
	counts := executed(t, c, *name, "live", 400)
	if n := counts["2"]; counts["1"]+n != 400 || n < 15 || n > 75 { // 40 expected, standard deviation 6
		t.Errorf("10/90: %v", counts)
	}
	must[*lambda.UpdateAliasOutput](t)(c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: alias.Name, RoutingConfig: &types.AliasRoutingConfiguration{}}))
	if counts := executed(t, c, *name, "live", 50); counts["1"] != 50 {
		t.Errorf("rolled back: %v", counts)
	}

	must[*lambda.InvokeOutput](t)(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Qualifier: aws.String("live"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"e":1}`)}))
	if e := w.events.events; len(e) != 1 || string(e[0].Payload) != `{"e":1}` || e[0].Consumer != "team" {
		t.Errorf("events %+v", e)
	}
	dry := must[*lambda.InvokeOutput](t)(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeDryRun}))
	if dry.StatusCode != http.StatusNoContent {
		t.Errorf("dry run: %d", dry.StatusCode)
	}
	crashed := must[*lambda.InvokeOutput](t)(c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Payload: []byte(`"crash"`)}))
	if aws.ToString(crashed.FunctionError) != "Unhandled" || crashed.StatusCode != 200 {
		t.Errorf("crashed: %+v", crashed)
	}

	must[*lambda.DeleteAliasOutput](t)(c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: name, Name: alias.Name}))
	must[*lambda.DeleteFunctionOutput](t)(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("1")}))
	must[*lambda.DeleteFunctionOutput](t)(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name}))
	if _, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name}); errorOf[*types.ResourceNotFoundException](err) == nil {
		t.Errorf("get what was deleted: %v", err)
	}
}

// executed counts which versions have served n requests.
func executed(t *testing.T, c *lambda.Client, name, qualifier string, n int) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for range n {
		out := must[*lambda.InvokeOutput](t)(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Qualifier: &qualifier}))
		counts[aws.ToString(out.ExecutedVersion)]++
	}
	return counts
}

func awaitVersion(t *testing.T, c *lambda.Client, name, version string) {
	t.Helper()
	if err := lambda.NewFunctionActiveV2Waiter(c, quickActive).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name, Qualifier: &version}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func errorOf[T error](err error) error {
	if e, ok := errors.AsType[T](err); ok {
		return e
	}
	return nil
}

func TestSDKLists(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx := t.Context()
	for i := range 5 {
		createWithSDK(t, c, fmt.Sprintf("f%d", i))
	}
	name := aws.String("f0")
	for range 3 {
		must[*lambda.PublishVersionOutput](t)(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}))
		must[*lambda.UpdateFunctionConfigurationOutput](t)(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: aws.String(time.Now().String())}))
		awaitUpdate(t, c, *name)
	}
	for _, alias := range []string{"a", "b", "c"} {
		must[*lambda.CreateAliasOutput](t)(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: &alias, FunctionVersion: aws.String("2")}))
	}
	var functions, versions, all, aliases []string
	for p := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		for _, f := range must[*lambda.ListFunctionsOutput](t)(p.NextPage(ctx)).Functions {
			functions = append(functions, *f.FunctionName)
		}
	}
	for p := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(3), FunctionVersion: types.FunctionVersionAll}); p.HasMorePages(); {
		for _, f := range must[*lambda.ListFunctionsOutput](t)(p.NextPage(ctx)).Functions {
			all = append(all, *f.FunctionName+":"+*f.Version)
		}
	}
	for p := lambda.NewListVersionsByFunctionPaginator(c, &lambda.ListVersionsByFunctionInput{FunctionName: name, MaxItems: aws.Int32(1)}); p.HasMorePages(); {
		for _, f := range must[*lambda.ListVersionsByFunctionOutput](t)(p.NextPage(ctx)).Versions {
			versions = append(versions, *f.Version)
		}
	}
	for p := lambda.NewListAliasesPaginator(c, &lambda.ListAliasesInput{FunctionName: name, MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		for _, a := range must[*lambda.ListAliasesOutput](t)(p.NextPage(ctx)).Aliases {
			aliases = append(aliases, *a.Name)
		}
	}
	for _, tt := range []struct {
		got  []string
		want string
	}{
		{functions, "[f0 f1 f2 f3 f4]"},
		{all, "[f0:$LATEST f0:1 f0:2 f0:3 f1:$LATEST f2:$LATEST f3:$LATEST f4:$LATEST]"},
		{versions, "[$LATEST 1 2 3]"},
		{aliases, "[a b c]"},
	} {
		if got := fmt.Sprint(tt.got); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	one := must[*lambda.ListAliasesOutput](t)(c.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: name, FunctionVersion: aws.String("1")}))
	if len(one.Aliases) != 0 {
		t.Errorf("aliases of version 1: %+v", one.Aliases)
	}
	a := must[*lambda.GetAliasOutput](t)(c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: name, Name: aws.String("b")}))
	if *a.FunctionVersion != "2" || !strings.HasSuffix(*a.AliasArn, ":f0:b") {
		t.Errorf("alias %+v", a)
	}
	account := must[*lambda.GetAccountSettingsOutput](t)(c.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{}))
	if account.AccountUsage.FunctionCount != 5 || account.AccountLimit.ConcurrentExecutions != 200 || account.AccountLimit.CodeSizeZipped != 50<<20 {
		t.Errorf("account %+v %+v", account.AccountUsage, account.AccountLimit)
	}
}

func TestSDKConcurrency(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	createWithSDK(t, c, *name)
	if put := must[*lambda.PutFunctionConcurrencyOutput](t)(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)})); *put.ReservedConcurrentExecutions != 0 {
		t.Errorf("put %+v", put)
	}
	_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name})
	throttled, ok := errors.AsType[*types.TooManyRequestsException](err)
	if !ok || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("throttled: %v", err)
	}
	if f := must[*lambda.GetFunctionOutput](t)(c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})); f.Concurrency == nil || *f.Concurrency.ReservedConcurrentExecutions != 0 || !strings.HasPrefix(*f.Code.Location, "file:///") {
		t.Errorf("function %+v %+v", f.Concurrency, f.Code)
	}
	must[*lambda.DeleteFunctionConcurrencyOutput](t)(c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: name}))
	if got := must[*lambda.GetFunctionConcurrencyOutput](t)(c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: name})); got.ReservedConcurrentExecutions != nil {
		t.Errorf("after its deletion: %+v", got)
	}

	version := must[*lambda.PublishVersionOutput](t)(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})).Version
	awaitVersion(t, c, *name, *version)
	if _, err := c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: version}); errorOf[*types.ProvisionedConcurrencyConfigNotFoundException](err) == nil {
		t.Errorf("there is none: %v", err)
	}
	put := must[*lambda.PutProvisionedConcurrencyConfigOutput](t)(c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: version, ProvisionedConcurrentExecutions: aws.Int32(2)}))
	if *put.RequestedProvisionedConcurrentExecutions != 2 {
		t.Errorf("put %+v", put)
	}
	got := must[*lambda.GetProvisionedConcurrencyConfigOutput](t)(c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: version}))
	if *got.RequestedProvisionedConcurrentExecutions != 2 {
		t.Errorf("got %+v", got)
	}
	list := must[*lambda.ListProvisionedConcurrencyConfigsOutput](t)(c.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: name}))
	if l := list.ProvisionedConcurrencyConfigs; len(l) != 1 || !strings.HasSuffix(*l[0].FunctionArn, ":hello:1") {
		t.Errorf("list %+v", l)
	}
	must[*lambda.DeleteProvisionedConcurrencyConfigOutput](t)(c.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: version}))
}

// TestSDKPolicyAndTags: as a team's deployment writes them, names escaped.
func TestSDKPolicyAndTags(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	resource := createWithSDK(t, c, *name).FunctionArn
	added := must[*lambda.AddPermissionOutput](t)(c.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: resource, StatementId: aws.String("bucket"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"),
		SourceArn: aws.String("arn:aws:s3:::uploads"),
	}))
	policy := must[*lambda.GetPolicyOutput](t)(c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name}))
	if want := `{"Version":"2012-10-17","Id":"default","Statement":[` + *added.Statement + `]}`; *policy.Policy != want {
		t.Errorf("the policy is %s, want %s", *policy.Policy, want)
	}
	must[*lambda.RemovePermissionOutput](t)(c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: name, StatementId: aws.String("bucket"), RevisionId: policy.RevisionId}))
	if _, err := c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name}); errorOf[*types.ResourceNotFoundException](err) == nil {
		t.Errorf("the policy is still there: %v", err)
	}

	must[*lambda.TagResourceOutput](t)(c.TagResource(ctx, &lambda.TagResourceInput{Resource: resource, Tags: map[string]string{"a b": "c/d", "e": "f"}}))
	must[*lambda.UntagResourceOutput](t)(c.UntagResource(ctx, &lambda.UntagResourceInput{Resource: resource, TagKeys: []string{"owner", "e"}}))
	tags := must[*lambda.ListTagsOutput](t)(c.ListTags(ctx, &lambda.ListTagsInput{Resource: resource})).Tags
	if diff := cmp.Diff(map[string]string{"a b": "c/d"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	heeded := map[string]string{"coldcurve:stage": "prod"}
	if _, err := c.TagResource(ctx, &lambda.TagResourceInput{Resource: resource, Tags: heeded}); errorOf[*types.InvalidParameterValueException](err) == nil {
		t.Errorf("another stage than it was created with: %v", err)
	}
	if got := must[*lambda.GetFunctionCodeSigningConfigOutput](t)(c.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: name})); got.CodeSigningConfigArn != nil {
		t.Errorf("its code is to be signed: %+v", got)
	}
}

func TestSDKURLs(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	createWithSDK(t, c, *name)
	created := must[*lambda.CreateFunctionUrlConfigOutput](t)(c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone, Cors: &types.Cors{AllowOrigins: []string{"*"}, MaxAge: aws.Int32(60)},
	}))
	if !strings.HasSuffix(*created.FunctionUrl, ".lambda-url.localhost:9001/") || created.Cors.AllowOrigins[0] != "*" {
		t.Errorf("created %+v", created)
	}
	if _, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeNone}); errorOf[*types.ResourceConflictException](err) == nil {
		t.Errorf("a second: %v", err)
	}
	updated := must[*lambda.UpdateFunctionUrlConfigOutput](t)(c.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: name, AuthType: types.FunctionUrlAuthTypeAwsIam}))
	got := must[*lambda.GetFunctionUrlConfigOutput](t)(c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: name}))
	if updated.AuthType != types.FunctionUrlAuthTypeAwsIam || got.AuthType != updated.AuthType || *got.FunctionUrl != *created.FunctionUrl || got.InvokeMode != types.InvokeModeBuffered {
		t.Errorf("updated %+v, got %+v", updated, got)
	}
	if l := must[*lambda.ListFunctionUrlConfigsOutput](t)(c.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: name})); len(l.FunctionUrlConfigs) != 1 {
		t.Errorf("list %+v", l)
	}
	must[*lambda.DeleteFunctionUrlConfigOutput](t)(c.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: name}))
	if _, err := c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: name}); errorOf[*types.ResourceNotFoundException](err) == nil {
		t.Errorf("get what was deleted: %v", err)
	}
}

func TestSDKEventInvokeConfigs(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	target := createWithSDK(t, c, "target").FunctionArn
	createWithSDK(t, c, *name)
	must[*lambda.PutFunctionEventInvokeConfigOutput](t)(c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: name, MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(120),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: target}},
	}))
	updated := must[*lambda.UpdateFunctionEventInvokeConfigOutput](t)(c.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(1)}))
	got := must[*lambda.GetFunctionEventInvokeConfigOutput](t)(c.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: name}))
	if *got.MaximumRetryAttempts != 1 || *got.MaximumEventAgeInSeconds != 120 || *got.DestinationConfig.OnFailure.Destination != *target ||
		time.Since(*got.LastModified).Abs() > time.Hour || *updated.MaximumEventAgeInSeconds != 120 {
		t.Errorf("updated %+v, got %+v", updated, got)
	}
	if l := must[*lambda.ListFunctionEventInvokeConfigsOutput](t)(c.ListFunctionEventInvokeConfigs(ctx, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: name})); len(l.FunctionEventInvokeConfigs) != 1 {
		t.Errorf("list %+v", l)
	}
	must[*lambda.DeleteFunctionEventInvokeConfigOutput](t)(c.DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: name}))
	if _, err := c.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: name}); errorOf[*types.ResourceNotFoundException](err) == nil {
		t.Errorf("get what was deleted: %v", err)
	}
}

func TestSDKErrors(t *testing.T) {
	c, _ := newSDK(t, sdkSecret)
	ctx, name := t.Context(), aws.String("hello")
	createWithSDK(t, c, *name)
	input := &lambda.CreateFunctionInput{FunctionName: name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("x"), Role: aws.String("r"), Code: &types.FunctionCode{ZipFile: archive(t, "x")}}
	create := func(edit func(*lambda.CreateFunctionInput)) error {
		in := *input
		edit(&in)
		_, err := c.CreateFunction(ctx, &in)
		return err
	}
	invoke := func(edit func(*lambda.InvokeInput)) error {
		in := lambda.InvokeInput{FunctionName: name}
		edit(&in)
		_, err := c.Invoke(ctx, &in)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		is   error
	}{
		{"exists", create(func(*lambda.CreateFunctionInput) {}), errorOf[*types.ResourceConflictException](create(func(*lambda.CreateFunctionInput) {}))},
		{"layers", nil, errorOf[*types.InvalidParameterValueException](create(func(in *lambda.CreateFunctionInput) {
			in.FunctionName, in.Layers = aws.String("other"), []string{"arn:aws:lambda:us-east-1:000000000000:layer:x:1"}
		}))},
		{"memory", nil, errorOf[*types.InvalidParameterValueException](create(func(in *lambda.CreateFunctionInput) {
			in.FunctionName, in.MemorySize = aws.String("other"), aws.Int32(1)
		}))},
		{"no zip", nil, errorOf[*types.InvalidParameterValueException](create(func(in *lambda.CreateFunctionInput) {
			in.FunctionName, in.Code = aws.String("other"), &types.FunctionCode{ZipFile: []byte("no zip")}
		}))},
		{"no function", nil, errorOf[*types.ResourceNotFoundException](invoke(func(in *lambda.InvokeInput) { in.FunctionName = aws.String("other") }))},
		{"no version", nil, errorOf[*types.ResourceNotFoundException](invoke(func(in *lambda.InvokeInput) { in.Qualifier = aws.String("7") }))},
		{"no JSON", nil, errorOf[*types.InvalidRequestContentException](invoke(func(in *lambda.InvokeInput) { in.Payload = []byte("no JSON") }))},
		{"too large", nil, errorOf[*types.RequestTooLargeException](invoke(func(in *lambda.InvokeInput) { in.Payload = bytes.Repeat([]byte("1"), 6<<20+1) }))},
	} {
		if tt.is == nil {
			t.Errorf("%s: not the exception that is documented: %v", tt.name, tt.err)
		}
	}
}

func TestSDKWithAnotherSecret(t *testing.T) {
	c, _ := newSDK(t, "another.secret.of.nobody/that.is.long.enough")
	_, err := c.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != "InvalidSignatureException" {
		t.Errorf("%v", err)
	}
}
