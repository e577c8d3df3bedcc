// `current_date` with the official Go SDK, served as Lockstep serves: stateless, JSON answers.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type nothing struct{}

type formatted struct {
	SpecDirectory string `json:"spec_directory"`
	Header        string `json:"header"`
	Readable      string `json:"readable"`
}

type dateView struct {
	IsoDate       string    `json:"iso_date"`
	IsoDatetime   string    `json:"iso_datetime"`
	DayOfWeek     string    `json:"day_of_week"`
	Month         string    `json:"month"`
	Year          int       `json:"year"`
	UnixTimestamp int64     `json:"unix_timestamp"`
	Formatted     formatted `json:"formatted"`
	UsageNote     string    `json:"usage_note"`
}

func currentDate(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, dateView, error) {
	now := time.Now().UTC()
	date := now.Format("2006-01-02")
	return nil, dateView{
		IsoDate:       date,
		IsoDatetime:   now.Format("2006-01-02T15:04:05.000000-07:00"),
		DayOfWeek:     now.Weekday().String(),
		Month:         now.Month().String(),
		Year:          now.Year(),
		UnixTimestamp: now.Unix(),
		Formatted: formatted{
			SpecDirectory: date + "-",
			Header:        "**Date**: " + date,
			Readable:      now.Format("January 2, 2006"),
		},
		UsageNote: "use iso_date wherever a document needs a date",
	}, nil
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "peer", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "current_date", Description: "The date and time of this machine"}, currentDate)
	always := func(*http.Request) *mcp.Server { return server }
	options := &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}
	http.Handle("/mcp", mcp.NewStreamableHTTPHandler(always, options))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
