package platform

import "slices"

// ReservedVariable tells whether the environment variable is the runtime's to
// set: Lambda refuses a function that defines one, and a function that could
// would see another value than its own. The list is
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
// where other AWS_LAMBDA_ variables (AWS_LAMBDA_EXEC_WRAPPER) are the user's.
func ReservedVariable(name string) bool {
	return slices.Contains([]string{
		"_HANDLER",
		"_X_AMZN_TRACE_ID",
		"AWS_ACCESS_KEY",
		"AWS_ACCESS_KEY_ID",
		"AWS_DEFAULT_REGION",
		"AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_LAMBDA_MAX_CONCURRENCY",
		"AWS_LAMBDA_METADATA_API",
		"AWS_LAMBDA_METADATA_TOKEN",
		"AWS_LAMBDA_RUNTIME_API",
		"AWS_REGION",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"LAMBDA_RUNTIME_DIR",
		"LAMBDA_TASK_ROOT",
	}, name)
}
