package importer

import "io"

// Text reads a CSV file of our own as text: UTF-8, with or without a byte order mark. Its error says what to do.
func Text(data io.Reader) (string, error) { return decode(data, false, saveTable) }

// SettingID is the directory's id of a setting as files write it, such as 900101; empty where it is not one.
func SettingID(s string) string { return settingID(s) }
