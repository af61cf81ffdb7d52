/** Names that PostgreSQL takes and that something between it and a disk may stumble over. At most 63 bytes each. */
export const hostileNames: readonly string[] = [
  'a"b', '""', "it's", 'line\nbreak', 'carriage\rreturn', 'tab\there', 'back\\slash', '../up', '..', '.', '/', 'a/b', '/etc/passwd', '.git', 'git~1', '.GIT',
  '\u{1F600}', 'e\u0301', '\u00E9', 'x'.repeat(63), 'ÿ'.repeat(31), 'Case', 'case', 'CASE', 'cAsE', 'select', 'table', 'user', 'CON', 'con', 'nul.txt', 'COM1', 'lpt9.', 'aux',
  '-dash', '--all', '-- comment', '/*', '*/', '/* */', '; DROP TABLE t', '$$', '$a$', 'trailing.', 'trailing ', ' leading', 'a b', '%', '%41', '%2F', '~', '+', '+a', '*', '?', ':', 'C:', '|', '<>',
  'schema.json', 'schema.sql', 'target.json', 'x.sql', 'index.lock', '\u2028', '\u202E', '\uFEFF', '\u00A0', '\u0001', '\u007F', '@{1}', 'HEAD', '^', '!', '#', '# a', '`id`', '$(id)', '${HOME}', 'viewsync_settle_0', 'pg_temp', '1st', '', 'ı', 'İ', 'ß',
].filter((name) => name !== '');

/** Texts inside literals and comments. */
export const hostileTexts: readonly string[] = [
  "'", "''", '"', '$$', '$a$ $a$', ';', ';\n', '--', '-- viewsync: {"a": 1}', '/*', '*/', '\r\n', '\r', '\n\n\n', '\t', ' trailing ', '\\', "\\'", 'E\'\\n\'', '\u2028', '\u2029', '\u0001\u001f\u007f', '\u{1F600}', 'e\u0301',
  'CREATE OR REPLACE VIEW a.b AS SELECT 1;', '\n;\n\nALTER VIEW a.b OWNER TO c;\n', '-- view: a.b\n-- reads: c.d\n', '<<<<<<< HEAD\n=======\n>>>>>>> x', '\uFEFF', '${DATABASE_URL}', '%s %I $1 ?', '\u202E', '{{ ref("x") }}',
];

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const quoteText = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
