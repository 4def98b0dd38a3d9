package lambdaapi

import (
	"time"

	"github.com/coldcurve/coldcurve/platform/reference/catalog"
)

// functionURL is Lambda's account of a function URL.
type functionURL struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionArn      string
	AuthType         string
	InvokeMode       string
	Cors             *catalog.CORS `json:",omitempty"`
	CreationTime     string
	LastModifiedTime string
}

// urlTime is Lambda's format of the dates of URLs.
const urlTime = "2006-01-02T15:04:05.000000Z"

// urlOf words a URL; where it is served is told by the options.
func (h *Handler) urlOf(r *request, u *catalog.URL) functionURL {
	doc := functionURL{
		FunctionArn: u.ARN, AuthType: u.AuthType, InvokeMode: u.InvokeMode, Cors: u.CORS,
		CreationTime: u.Created.UTC().Format(urlTime), LastModifiedTime: u.Modified.UTC().Format(urlTime),
	}
	if h.FunctionURL != nil {
		doc.FunctionURL = h.FunctionURL(r.Host, u.ID)
	}
	if doc.InvokeMode == "" {
		doc.InvokeMode = "BUFFERED"
	}
	return doc
}

// urlRequest is the body of the operations that make and change URLs.
type urlRequest struct {
	AuthType, InvokeMode string
	Cors                 *catalog.CORS
}

func (h *Handler) createURL(r *request) (any, error) {
	var body urlRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	u, err := h.Catalog.CreateURL(r.name, r.qualifier(), catalog.URLSettings{AuthType: body.AuthType, InvokeMode: body.InvokeMode, CORS: body.Cors})
	return h.urlOf(r, &u), err
}

func (h *Handler) updateURL(r *request) (any, error) {
	var body urlRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	u, err := h.Catalog.UpdateURL(r.name, r.qualifier(), catalog.URLUpdate{AuthType: body.AuthType, InvokeMode: body.InvokeMode, CORS: body.Cors})
	return h.urlOf(r, &u), err
}

func (h *Handler) url(r *request) (any, error) {
	u, err := h.Catalog.URL(r.name, r.qualifier())
	return h.urlOf(r, &u), err
}

func (h *Handler) listURLs(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	list, next, err := h.Catalog.URLs(r.name, page)
	doc := struct {
		FunctionURLConfigs []functionURL `json:"FunctionUrlConfigs"`
		NextMarker         string        `json:",omitempty"`
	}{make([]functionURL, len(list)), next}
	for i := range list {
		doc.FunctionURLConfigs[i] = h.urlOf(r, &list[i])
	}
	return doc, err
}

func (h *Handler) deleteURL(r *request) (any, error) {
	return nil, h.Catalog.DeleteURL(r.name, r.qualifier())
}

// eventConfig is Lambda's account of how asynchronous invocations are treated.
type eventConfig struct {
	FunctionArn              string
	MaximumRetryAttempts     *int   `json:",omitempty"`
	MaximumEventAgeInSeconds *int64 `json:",omitempty"`
	DestinationConfig        destinationConfig
	LastModified             float64 // seconds since 1970: dates of this one are numbers
}

type destinationConfig struct {
	OnSuccess, OnFailure destination
}

type destination struct {
	Destination string `json:",omitempty"`
}

func eventConfigOf(e *catalog.EventInvoke) eventConfig {
	doc := eventConfig{
		FunctionArn: e.ARN, MaximumRetryAttempts: e.Retries,
		DestinationConfig: destinationConfig{destination{e.OnSuccess}, destination{e.OnFailure}},
		LastModified:      float64(e.Modified.UnixMilli()) / 1000,
	}
	if e.Age > 0 {
		seconds := int64(e.Age / time.Second)
		doc.MaximumEventAgeInSeconds = &seconds
	}
	return doc
}

// eventRequest is the body of the operations that make and change them.
type eventRequest struct {
	MaximumRetryAttempts     *int
	MaximumEventAgeInSeconds *int64
	DestinationConfig        *struct {
		OnSuccess, OnFailure *struct{ Destination *string }
	}
}

func (r *eventRequest) update() (u catalog.EventInvokeUpdate) {
	u.Retries = r.MaximumRetryAttempts
	if r.MaximumEventAgeInSeconds != nil {
		age := seconds(float64(*r.MaximumEventAgeInSeconds))
		u.Age = &age
	}
	if d := r.DestinationConfig; d != nil {
		none := ""
		u.OnSuccess, u.OnFailure = &none, &none
		if d.OnSuccess != nil && d.OnSuccess.Destination != nil {
			u.OnSuccess = d.OnSuccess.Destination
		}
		if d.OnFailure != nil && d.OnFailure.Destination != nil {
			u.OnFailure = d.OnFailure.Destination
		}
	}
	return u
}

func (h *Handler) putEventConfig(r *request) (any, error) {
	var body eventRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	u := body.update()
	e, err := h.Catalog.PutEventInvoke(r.name, r.qualifier(), catalog.EventInvoke{
		Retries: u.Retries, Age: value(u.Age), OnSuccess: value(u.OnSuccess), OnFailure: value(u.OnFailure),
	})
	return eventConfigOf(&e), err
}

func (h *Handler) updateEventConfig(r *request) (any, error) {
	var body eventRequest
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	e, err := h.Catalog.UpdateEventInvoke(r.name, r.qualifier(), body.update())
	return eventConfigOf(&e), err
}

func (h *Handler) eventConfig(r *request) (any, error) {
	e, err := h.Catalog.EventInvoke(r.name, r.qualifier())
	return eventConfigOf(&e), err
}

func (h *Handler) listEventConfigs(r *request) (any, error) {
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	list, next, err := h.Catalog.EventInvokes(r.name, page)
	doc := struct {
		FunctionEventInvokeConfigs []eventConfig
		NextMarker                 string `json:",omitempty"`
	}{make([]eventConfig, len(list)), next}
	for i := range list {
		doc.FunctionEventInvokeConfigs[i] = eventConfigOf(&list[i])
	}
	return doc, err
}

func (h *Handler) deleteEventConfig(r *request) (any, error) {
	return nil, h.Catalog.DeleteEventInvoke(r.name, r.qualifier())
}
