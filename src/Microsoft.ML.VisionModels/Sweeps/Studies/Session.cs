using System.Data.Common;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>A connection to a study's database, with or without a transaction around what is done; @study is the study's name in every command.</summary>
internal sealed class Session : IDisposable
{
    private readonly DbConnection _connection;
    private readonly DbTransaction? _transaction;
    private readonly string _study;

    private Session(DbConnection connection, bool transaction, string study) =>
        (_connection, _transaction, _study) = (connection, transaction ? connection.BeginTransaction() : null, study);

    public static Session Begin(Database database, string study, bool transaction)
    {
        var connection = database.Connect();
        try
        {
            return new(connection, transaction, study);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <returns>How many rows were changed.</returns>
    public int Execute(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    public List<T> Query<T>(string sql, Func<DbDataReader, T> read, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The first row; a default where there is none.</summary>
    public T Single<T>(string sql, Func<DbDataReader, T> read, T orDefault, params (string Name, object? Value)[] parameters)
    {
        var rows = Query(sql, read, parameters);
        return rows.Count > 0 ? rows[0] : orDefault;
    }

    public void Commit() => _transaction?.Commit();

    public void Dispose()
    {
        _transaction?.Dispose();    // takes back what was not committed
        _connection.Dispose();
    }

    private DbCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = _connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, _transaction);
        foreach (var (name, value) in parameters.Append(("study", _study)))
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
