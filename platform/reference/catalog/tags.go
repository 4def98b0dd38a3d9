package catalog

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// TagRule says why tags may not change so; nil is that they may. It is asked
// while nothing else can change them.
type TagRule func(before, after map[string]string) error

// Tag gives a function tags, in place of those of the same keys, unless the rule
// (nil for none) is against it. The resource is its ARN.
func (c *Catalog) Tag(resource string, tags map[string]string, rule TagRule) error {
	return c.editTags(resource, rule, func(all map[string]string) error {
		if len(tags) == 0 {
			return invalid("An error occurred and the request cannot be processed: there are no tags in it.")
		}
		maps.Copy(all, tags)
		return nil
	})
}

// Untag takes tags away, as Tag gives them; those that are not there are, like
// in Lambda, gone already.
func (c *Catalog) Untag(resource string, keys []string, rule TagRule) error {
	return c.editTags(resource, rule, func(all map[string]string) error {
		if len(keys) == 0 {
			return violation("null", "tagKeys", "Member must not be null")
		}
		for _, key := range keys {
			delete(all, key)
		}
		return nil
	})
}

// Tags gives a function's tags, not to be changed.
func (c *Catalog) Tags(resource string) (map[string]string, error) {
	f, err := c.tagged(resource)
	if err != nil {
		return nil, err
	}
	return f.now.Load().record.Tags, nil
}

func (c *Catalog) editTags(resource string, rule TagRule, edit func(map[string]string) error) error {
	f, err := c.tagged(resource)
	if err != nil {
		return err
	}
	_, err = c.change(f, func(r *record) error {
		before, after := r.Tags, map[string]string{}
		maps.Copy(after, before)
		if err := edit(after); err != nil {
			return err
		}
		if rule != nil {
			if err := rule(before, after); err != nil {
				return err
			}
		}
		r.Tags = after
		return c.checkTags(after)
	})
	return err
}

// tagged gives the function of an ARN.
func (c *Catalog) tagged(resource string) (*function, error) {
	if !strings.HasPrefix(resource, "arn:") {
		return nil, violation(resource, "resource", `Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?)`)
	}
	f, qualifier, err := c.named(resource, "")
	if err == nil && qualifier != "" {
		return nil, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return f, err
}

// checkTags holds a function's tags to AWS's rules.
func (c *Catalog) checkTags(tags map[string]string) error {
	if len(tags) > c.limits.Tags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	for key, value := range tags {
		switch {
		case key == "" || utf8.RuneCountInString(key) > c.limits.TagKey:
			return invalid("The tag key %q is not of 1 to %d characters", key, c.limits.TagKey)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("The tag key %q begins with aws:, which is reserved", key)
		case utf8.RuneCountInString(value) > c.limits.TagValue:
			return invalid("The value of the tag %s is longer than %d characters", key, c.limits.TagValue)
		}
	}
	return nil
}
