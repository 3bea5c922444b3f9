// What the analyser offers to Python: a layout's tables as Kusto's symbols, and the diagnostics of a query on them.
var sigmapackGlobals = {};

function sigmapackLayout(key, tables) {
    var symbols = Kusto.Language.Symbols;
    var members = tables.map(function (table) {
        var columns = table[1].map(function (column) {
            return new symbols.ColumnSymbol(column[0], symbols.ScalarTypes.GetSymbol(column[1]), null, null, null);
        });
        return new symbols.TableSymbol.$ctor4(table[0], columns);
    });
    var database = new symbols.DatabaseSymbol.$ctor3("database", null, members, false);
    sigmapackGlobals[key] = Kusto.Language.GlobalState.Default.WithDatabase(database);
    return members.length;
}

function sigmapackAnalyse(key, query) {
    var found = Kusto.Language.KustoCode.ParseAndAnalyze(query, sigmapackGlobals[key]).GetDiagnostics();
    var told = [];
    for (var at = 0; at < found.Count; at++) {
        var one = found.getItem(at);
        told.push([one.Severity, one.Code, one.Message, one.Start]);
    }
    return JSON.stringify(told);
}
