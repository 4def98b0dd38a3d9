// Package chart draws a run's pictures with gonum/plot.
//
// In: the summary and the thinned data of one run. Out: [Chart]s, each of which
// writes itself as SVG or PNG; the same data yields the same bytes. It reads
// and counts nothing, and a chart for which there is no data does not exist.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/coldcurve/coldcurve/analysis/summary"
	"github.com/coldcurve/coldcurve/reports"
)

// Chart is one picture. It keeps references to the data that it was made from.
type Chart struct {
	Name    string // file name without extension, unique in a run
	Title   string
	Caption string // what is to be seen and how it is to be read
	Alt     string // the picture in words, for who cannot see it

	subtitle string
	height   vg.Length
	keys     []key
	body     func(draw.Canvas, Theme)
}

// width of every chart; heights differ.
const width = 10 * vg.Inch

// pixelsPerInch gives PNGs 1,800 pixels: sharp on a slide.
const pixelsPerInch = 180

// All draws up the charts of one run, those that have data, in the order to be shown.
func All(run *summary.Run, data *reports.Run) []Chart {
	var out []Chart
	for _, draw := range []func(*summary.Run, *reports.Run) (Chart, bool){
		latency, percentiles, histogram, breakdown, concurrency,
	} {
		if c, ok := draw(run, data); ok {
			c.subtitle = reports.Title(run)
			out = append(out, c)
		}
	}
	return out
}

// PNG writes the chart as a picture of 1,800 pixels' width on white.
func (c *Chart) PNG(w io.Writer) error {
	img := vgimg.NewWith(vgimg.UseWH(width, c.height), vgimg.UseDPI(pixelsPerInch))
	c.paint(draw.New(img), Light, true)
	if _, err := (vgimg.PngCanvas{Canvas: img}).WriteTo(w); err != nil {
		return fmt.Errorf("write chart %s: %w", c.Name, err)
	}
	return nil
}

// SVG writes the chart as a file of its own.
func (c *Chart) SVG(w io.Writer, t Theme) error {
	if _, err := w.Write(c.vector(t, true)); err != nil {
		return fmt.Errorf("write chart %s: %w", c.Name, err)
	}
	return nil
}

// Inline is the chart as an element of an HTML page, without its title, which
// is the page's to print. Its colours are the CSS properties of [Variables]. It
// has no id and no script, and everything in it that came from outside is escaped.
func (c *Chart) Inline() string {
	_, svg, _ := bytes.Cut(c.vector(Light, false), []byte("<svg "))
	_, svg, _ = bytes.Cut(svg, []byte(">"))
	text := string(svg)
	for r := range numRoles {
		h := r.hue()
		text = strings.ReplaceAll(text, fmt.Sprintf("#%06X", h.light), "var(--chart-"+h.name+")")
	}
	return fmt.Sprintf(`<svg viewBox="0 0 %.5g %.5g" role="img" aria-label="%s" xmlns="http://www.w3.org/2000/svg">%s`,
		width.Points(), c.bodyHeight().Points(), html.EscapeString(c.Alt), text)
}

func (c *Chart) vector(t Theme, title bool) []byte {
	h := c.height
	if !title {
		h = c.bodyHeight()
	}
	svg := vgsvg.New(width, h)
	c.paint(draw.New(svg), t, title)
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		panic("chart: a bytes.Buffer refused to be written: " + err.Error())
	}
	// Arial and Helvetica have the metrics of Liberation Sans, so that labels
	// keep their places where that font is not installed.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}

// bodyHeight is the height of the chart without its title.
func (c *Chart) bodyHeight() vg.Length { return c.height - titleHeight }

// WriteDir writes every chart to dir as NAME.svg and NAME.png and makes dir
// where it is missing. It returns the files' names.
func WriteDir(dir string, charts []Chart) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("make chart folder: %w", err)
	}
	var names []string
	for i := range charts {
		c := &charts[i]
		var svg, png bytes.Buffer
		if err := c.SVG(&svg, Light); err != nil {
			return names, err
		}
		if err := c.PNG(&png); err != nil {
			return names, err
		}
		for ext, b := range map[string][]byte{".svg": svg.Bytes(), ".png": png.Bytes()} {
			if err := os.WriteFile(filepath.Join(dir, c.Name+ext), b, 0o666); err != nil {
				return names, fmt.Errorf("write chart %s: %w", c.Name, err)
			}
		}
		names = append(names, c.Name+".svg", c.Name+".png")
	}
	return names, nil
}
