package reports

import (
	"fmt"
	"slices"
)

// Sheet is an answer with its tables, as every renderer shows it: in words, the
// figures formatted.
type Sheet struct {
	Title     string
	Answer    []string // in sentences
	Tables    []Table
	Notes     []string // what a reader must know
	Footnotes []string // by number, from 1, as tables refer to them
}

// footnotes are numbered as they come, each once.
type footnotes []string

// mark is the number of a note, in brackets.
func (f *footnotes) mark(note string) string {
	i := slices.Index(*f, note)
	if i < 0 {
		i = len(*f)
		*f = append(*f, note)
	}
	return fmt.Sprintf("[%d]", i+1)
}

// cellsBy makes columns of rows, one below the other.
type cellsBy[T any] []T

// column is a column whose cells say one thing of each row. Columns of the
// lowest keep go first where the width is short; 0 never goes.
func (rows cellsBy[T]) column(head string, keep int, of func(*T) string) Column {
	return Column{Head: head, Keep: keep, Cells: Cells(rows, of)}
}

// name is a column of words.
func (rows cellsBy[T]) name(head string, keep int, of func(*T) string) Column {
	return Column{Head: head, Left: true, Keep: keep, Cells: Cells(rows, of)}
}

// some says that a row has something to show in a cell.
func (rows cellsBy[T]) some(has func(*T) bool) bool {
	return slices.ContainsFunc(rows, func(row T) bool { return has(&row) })
}
