package app_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/app/apptest"
	"github.com/signalbox-hq/signalbox/services/clock"
)

// Whoever starts the service and stops it at once, as a new version does that is taken back, is told of no fault.
func TestAServiceThatIsStoppedWhileItStillReadsEndsWithoutAFault(t *testing.T) {
	r := apptest.Empty(t, time.Now())
	r.Stop()
	service, err := app.New(t.Context(), r.Config, clock.System{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := service.Run(ctx); err != nil {
		t.Errorf("it ended with: %v", err)
	}
}
