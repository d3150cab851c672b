// Package web is what all pages for people share, whoever they are for.
//
// It owns: one-time codes, names as people type them, the rate of one client, the headers that every answer has, and the refusal of forms that come
// from other sites.
//
// What holds here:
//
//   - a code works once, for ten minutes, for five tries; five an hour are made for one key;
//   - what is kept in memory is bounded, and holds no name or address; a restart costs a person one new code.
//
// It knows no page, and must not import other rooms.
package web
