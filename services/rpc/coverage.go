package rpc

import (
	"google.golang.org/grpc"

	directoryv1 "github.com/signalbox-hq/signalbox/api/signalbox/directory/v1"
	"github.com/signalbox-hq/signalbox/services/directory"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// Coverage counts the settings and organisations that a notice can be sent to, and names the others. A contact whose mail
// comes back counts for nothing.
func (s *directoryService) Coverage(req *directoryv1.CoverageRequest, stream grpc.ServerStreamingServer[directoryv1.CoverageResponse]) error {
	const op = "rpc.Coverage"
	snapshot, _ := s.Current()
	area := notice.Area(req.GetArea())
	if _, ok := snapshot.Area(area); !ok && area != "" {
		return notice.InvalidFields(op, []notice.FieldFault{{Field: "area", Message: "is not an area of the directory: give a GSS code, as in `signalbox directory show area`"}})
	}
	failing, err := s.failingNow(stream.Context(), snapshot, s.key)
	if err != nil {
		return err
	}
	works := func(c *directoryv1.Contact) bool { return !failing(c) }
	for _, c := range snapshot.Cover(area, directory.DateOf(s.Clock.Now()), works) {
		name, _ := snapshot.Area(c.Area)
		response := &directoryv1.CoverageResponse{
			Area: string(c.Area), AreaName: name.GetName(), Kind: c.Kind, Setting: c.Setting,
			Total: int64(c.Total), Covered: int64(c.Total - len(c.Without)),
		}
		for _, id := range c.Without {
			response.Without = append(response.Without, string(id))
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
	return nil
}
