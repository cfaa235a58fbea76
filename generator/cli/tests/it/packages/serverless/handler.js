exports.shout = async (event) => ({ statusCode: 200, body: event.body && event.body.toUpperCase() });
exports.verify = async () => ({});
