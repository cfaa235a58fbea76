// Records what $input and $util of apigw-vtl-emulator return.
//
//   npm pack apigw-vtl-emulator@1.3.1 && tar xzf apigw-vtl-emulator-1.3.1.tgz
//   node record.mjs package > recorded.json
//
// The functions are called directly: the package's template engine, velocits, was not in the registry when this was written.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.argv[2]);
const engine = (name) => import(pathToFileURL(`${folder}/dist/engine/${name}.js`));
const { InputFunctions } = await engine('InputFunctions');
const { UtilFunctions } = await engine('UtilFunctions');
const { version } = JSON.parse(readFileSync(`${folder}/package.json`));

const body = JSON.stringify({
  name: 'Ada', age: 36, price: 1.5, active: true, nothing: null, 'key with blank': 1, empty: '', list: [1, 2, 3],
  pets: [{ id: 1, type: 'dog', tags: ['a', 'b'] }, { id: 2, type: 'cat', tags: [] }], nested: { deep: { x: 'y' } },
  text: 'quote " and \' and \\ and / and é\nline',
});
const paths = [
  '$', '$.name', '$.age', '$.price', '$.active', '$.nothing', '$.empty', '$.missing', '$.missing.deeper', '$.list', '$.list[0]',
  '$.list[9]', '$.list[-1]', '$.pets[0].type', '$.pets[1]', '$.pets[0].tags[1]', '$.pets[*].type', '$..id',
  "$['name']", "$.pets[?(@.id==2)].type", '$.nested.deep.x', '$.nested', '$.text', 'name',
];
const texts = ['', 'plain', "it's", '"quoted"', 'a/b', 'back\\slash', 'line\nbreak\ttab\r', 'héllo €', 'a b&c=d+e', '100%', '~*-_.!()'];
const encoded = ['', 'plain', 'a%20b', 'a+b', '%C3%A9', 'a%26b'];

const call = (name, argument, run) => ({ function: name, argument, result: run() ?? null });
const input = new InputFunctions({ params: {} }, JSON.parse(body), body);
const util = new UtilFunctions();
const cases = [
  ...paths.map((path) => call('input.path', path, () => JSON.stringify(input.path(path)))),
  ...paths.map((path) => call('input.json', path, () => input.json(path))),
  ...texts.map((text) => call('util.escapeJavaScript', text, () => util.escapeJavaScript(text))),
  ...texts.map((text) => call('util.urlEncode', text, () => util.urlEncode(text))),
  ...encoded.map((text) => call('util.urlDecode', text, () => util.urlDecode(text))),
  ...texts.map((text) => call('util.base64Encode', text, () => util.base64Encode(text))),
  ...['', 'cGxhaW4=', 'aMOpbGxvIOKCrA=='].map((text) => call('util.base64Decode', text, () => util.base64Decode(text))),
  ...['{"a":1}', '[1,"x"]', '"text"', '5', 'true', 'null', 'not json'].map((text) =>
    call('util.parseJson', text, () => JSON.stringify(util.parseJson(text)))),
];
process.stdout.write(`${JSON.stringify({ package: `apigw-vtl-emulator@${version}`, body, cases }, null, 1)}\n`);
