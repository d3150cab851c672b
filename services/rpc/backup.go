package rpc

import (
	"bufio"

	"google.golang.org/grpc"

	backupv1 "github.com/signalbox-hq/signalbox/api/signalbox/backup/v1"
)

// backupChunk is the part of an archive that one answer carries.
const backupChunk = 256 << 10

type backupService struct {
	backupv1.UnimplementedBackupServiceServer
	Deps
}

// Backup streams an archive of everything. It holds the service's keys and personal data, and leaves over a connection
// that only an operator can have.
func (s *backupService) Backup(_ *backupv1.BackupRequest, stream grpc.ServerStreamingServer[backupv1.BackupResponse]) error {
	w := bufio.NewWriterSize(chunks{stream}, backupChunk)
	if err := s.Archive.WriteBackup(stream.Context(), w); err != nil {
		return err
	}
	return w.Flush()
}

// chunks sends what is written to it.
type chunks struct {
	stream grpc.ServerStreamingServer[backupv1.BackupResponse]
}

func (c chunks) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), backupChunk)
		if err := c.stream.Send(&backupv1.BackupResponse{Chunk: rest[:n]}); err != nil {
			return len(p) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(p), nil
}
