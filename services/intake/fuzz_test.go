package intake_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/signalbox-hq/signalbox/api/signalbox/event/v1"
	"github.com/signalbox-hq/signalbox/services/intake"
	"github.com/signalbox-hq/signalbox/services/notice"
)

// taken holds what every decoder promises: faults that name a field and say something, the same ones each time, and an
// event that passes comes back equal from every encoding.
func taken(t *testing.T, in *intake.Intake, header intake.Header, data []byte) {
	t.Helper()
	first, err := intake.Decode("", header, data)
	again, errAgain := intake.Decode("", header, data)
	if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() || !proto.Equal(first, again) {
		t.Fatalf("decoded twice, differs: %v and %v", err, errAgain)
	}
	c := check(first)
	c.Subject = ""
	ev, err := in.Read(header, data, c)
	if err != nil {
		faults := notice.FieldsOf(err)
		if len(faults) == 0 || notice.KindOf(err) != notice.Invalid {
			t.Fatalf("a refusal without faults: %v", err)
		}
		for _, f := range faults {
			if f.Field == "" || f.Message == "" {
				t.Fatalf("a fault that says nothing: %+v", f)
			}
		}
		return
	}
	for _, enc := range intake.Encodings() {
		header, data, err := intake.Encode(ev, enc)
		if err != nil {
			t.Fatalf("%s: %v", enc, err)
		}
		back, err := intake.Decode("", header, data)
		if err != nil && len(data) <= intake.MaxSize {
			t.Fatalf("%s: what it encodes it refuses: %v", enc, err)
		}
		if err == nil && !proto.Equal(ev, back) {
			t.Fatalf("%s: comes back different", enc)
		}
	}
}

func seeds(f *testing.F, enc intake.Encoding, add func(header intake.Header, data []byte)) {
	f.Helper()
	for _, ev := range samples(f) {
		header, data, err := intake.Encode(ev, enc)
		if err != nil {
			f.Fatal(err)
		}
		add(header, data)
	}
}

func FuzzDecodeProtobuf(f *testing.F) {
	in := newIntake(f)
	seeds(f, intake.Protobuf, func(_ intake.Header, data []byte) { f.Add(data) })
	f.Add([]byte{0x4a, 0x02, 0x0a, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		taken(t, in, intake.Header{"Content-Type": {"application/protobuf"}}, data)
	})
}

func FuzzDecodeStructured(f *testing.F) {
	in := newIntake(f)
	seeds(f, intake.CloudEventsJSON, func(_ intake.Header, data []byte) { f.Add(data) })
	f.Add([]byte(`{"specversion":"1.0","id":"a","data_base64":"CgFh","datacontenttype":"application/protobuf"}`))
	f.Add([]byte(`{"a":[[[[{"b":"\ud800"}]]]],"a":1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		taken(t, in, intake.Header{"Content-Type": {"application/cloudevents+json"}}, data)
	})
}

func FuzzDecodeBinary(f *testing.F) {
	in := newIntake(f)
	seeds(f, intake.CloudEventsBinary, func(header intake.Header, data []byte) {
		at := func(name string) string {
			if v := header["ce-"+name]; len(v) > 0 {
				return v[0]
			}
			return ""
		}
		f.Add("application/json", at("id"), at("source"), at("type"), at("subject"), at("time"), "area", at("area"), data)
	})
	empty, err := proto.Marshal(&eventv1.Event{Id: "a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("application/protobuf; charset=utf-8", "a", "b%2", "c", "%ff", "2026-11-03", "risk", "high", empty)
	f.Fuzz(func(t *testing.T, contentType, id, source, kind, subject, when, name, value string, data []byte) {
		taken(t, in, intake.Header{
			"Content-Type":   {contentType},
			"ce-specversion": {"1.0"},
			"ce-id":          {id},
			"ce-source":      {source},
			"ce-type":        {kind},
			"ce-subject":     {subject},
			"ce-time":        {when},
			"ce-" + name:     {value},
		}, data)
	})
}

func BenchmarkDecodeAndValidateProtobuf(b *testing.B) {
	in := newIntake(b)
	ev := sample(b, notice.EncompassIncident)
	header, data, err := intake.Encode(ev, intake.Protobuf)
	if err != nil {
		b.Fatal(err)
	}
	c := check(ev)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Read(header, data, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeAndValidateStructured(b *testing.B) {
	in := newIntake(b)
	ev := sample(b, notice.EncompassIncident)
	header, data, err := intake.Encode(ev, intake.CloudEventsJSON)
	if err != nil {
		b.Fatal(err)
	}
	c := check(ev)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Read(header, data, c); err != nil {
			b.Fatal(err)
		}
	}
}
