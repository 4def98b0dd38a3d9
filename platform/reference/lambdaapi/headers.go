package lambdaapi

// Lambda's headers of Invoke, in the canonical form of net/http.
const (
	HeaderInvocationType  = "X-Amz-Invocation-Type"
	HeaderLogType         = "X-Amz-Log-Type"
	HeaderLogResult       = "X-Amz-Log-Result"
	HeaderFunctionError   = "X-Amz-Function-Error"
	HeaderExecutedVersion = "X-Amz-Executed-Version"
	HeaderRequestID       = "X-Amzn-Requestid"
	HeaderErrorType       = "X-Amzn-Errortype"
	HeaderTraceID         = "X-Amzn-Trace-Id"
	HeaderClientContext   = "X-Amz-Client-Context"
)

// The headers of Invoke that coldcurve heeds beside Lambda's.
const (
	// HeaderConsumer is who to charge, HeaderStage which of its environments.
	HeaderConsumer = "X-Coldcurve-Consumer"
	HeaderStage    = "X-Coldcurve-Stage"
	// HeaderTrigger is what led to the request, in sample's words: a name, or a
	// name and when that was, on CLOCK_MONOTONIC: "schedule 12345678".
	HeaderTrigger = "X-Coldcurve-Trigger"
)

// The headers that coldcurve adds to answers of Invoke.
const (
	// HeaderStart is the start kind in sample's words: cold, warm, queued.
	// It and the next three are there if an instance was found or ordered.
	HeaderStart = "X-Coldcurve-Start"
	// HeaderInstance is the instance's name, as in the list of instances.
	HeaderInstance = "X-Coldcurve-Instance"
	// HeaderTruth is what happened when: the text form of engine.Truth.
	HeaderTruth = "X-Coldcurve-Truth"
	// HeaderBilled is the billed time in nanoseconds.
	HeaderBilled = "X-Coldcurve-Billed-Ns"
	// HeaderErrorKind is what went wrong in sample's words: throttled,
	// timeout, crash, ... It is absent if nothing did.
	HeaderErrorKind = "X-Coldcurve-Error-Kind"
	// HeaderLastWords is the end of what a function that failed has printed, in
	// base64. It goes to coldcurve's own client only.
	HeaderLastWords = "X-Coldcurve-Last-Words"
)
