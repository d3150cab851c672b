package intake

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// wireFaults finds where protobuf bytes that the library refused are at fault. The messages of an event do not contain
// themselves, so their descriptor bounds the depth.
func wireFaults(desc protoreflect.MessageDescriptor, data []byte) faults {
	var found faults
	walkWire(desc, data, nil, &found)
	return found
}

func walkWire(desc protoreflect.MessageDescriptor, data []byte, at *place, found *faults) {
	seen := map[protowire.Number]int{}
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			found.add(at.String(), "is cut short or is not protobuf: send the whole encoded Event")
			return
		}
		data = data[n:]
		size := protowire.ConsumeFieldValue(number, kind, data)
		if size < 0 {
			found.add(at.String(), "is cut short or is not protobuf: send the whole encoded Event")
			return
		}
		value := data[:size]
		data = data[size:]
		field := desc.Fields().ByNumber(number)
		if field == nil || kind != protowire.BytesType {
			continue
		}
		here := at.field(field)
		if field.IsList() {
			here.index = seen[number]
			seen[number]++
		}
		content, _ := protowire.ConsumeBytes(value)
		switch {
		case field.Message() != nil:
			walkWire(field.Message(), content, here, found)
		case field.Kind() == protoreflect.StringKind && !utf8.Valid(content):
			found.add(here.String(), "is not UTF-8: send text in UTF-8")
		}
	}
}
