package queue

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Service is a distribution of service times. The zero value is none.
type Service struct {
	mean   float64 // seconds
	cv2    float64 // squared coefficient of variation
	points []point // ascending; nil is exponential
}

type point struct {
	at    float64 // seconds
	share float64 // of 1
}

// Point is a service time and how often it occurs, relative to the others.
type Point struct {
	Time   time.Duration // at least 0
	Weight float64       // above 0
}

// Exponential is an exponential distribution with a mean above 0.
func Exponential(mean time.Duration) Service { return Service{mean: mean.Seconds(), cv2: 1} }

// Constant is the same time for all, above 0.
func Constant(d time.Duration) Service {
	return Service{mean: d.Seconds(), points: []point{{d.Seconds(), 1}}}
}

// Discrete is a distribution by its points, such as the bars of a histogram or
// the quantiles of a distribution. The points are not kept.
func Discrete(points []Point) (Service, error) {
	total, mean := 0.0, 0.0
	for i, p := range points {
		if p.Time < 0 || !(p.Weight > 0) || math.IsInf(p.Weight, 1) {
			return Service{}, fmt.Errorf("service point %d: time %v and weight %v are not at least 0 and above 0", i, p.Time, p.Weight)
		}
		total += p.Weight
		mean += p.Weight * p.Time.Seconds()
	}
	if !(mean > 0) {
		return Service{}, fmt.Errorf("service: the mean of its %d points is not above 0", len(points))
	}
	s := Service{mean: mean / total, points: make([]point, len(points))}
	variance := 0.0
	for i, p := range points {
		s.points[i] = point{p.Time.Seconds(), p.Weight / total}
		off := p.Time.Seconds() - s.mean
		variance += p.Weight / total * off * off
	}
	s.cv2 = variance / (s.mean * s.mean)
	slices.SortFunc(s.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	return s, nil
}

// Mean is the mean service time.
func (s Service) Mean() time.Duration { return seconds(s.mean) }

// CV2 is the squared coefficient of variation: 0 is constant, 1 exponential.
func (s Service) CV2() float64 { return s.cv2 }

// Scaled is the service with every time multiplied by factor, above 0: another
// CPU, or one that is throttled.
func (s Service) Scaled(factor float64) Service {
	scaled := Service{mean: s.mean * factor, cv2: s.cv2, points: slices.Clone(s.points)}
	for i := range scaled.points {
		scaled.points[i].at *= factor
	}
	return scaled
}

// Tail is the share of requests whose service alone takes longer than t.
func (s Service) Tail(t time.Duration) float64 {
	if s.points == nil {
		return math.Exp(-t.Seconds() / s.mean)
	}
	sum := 0.0
	for _, p := range s.points {
		if p.at > t.Seconds() {
			sum += p.share
		}
	}
	return sum
}
