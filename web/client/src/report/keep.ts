// What the report page asks its service worker to keep: addresses, without a network too.
export interface Keep {
  pages: string[];
  files: string[];
}
