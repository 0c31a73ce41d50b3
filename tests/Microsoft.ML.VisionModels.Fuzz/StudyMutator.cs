using System.Text;
using Microsoft.Data.Sqlite;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>Damages what is in a study's SQLite file, which stays one.</summary>
internal sealed class StudyMutator(Random random)
{
    private static readonly (string Table, string Column)[] s_columns =
    [
        ("study", "space"), ("study", "space"), ("study", "metric"), ("study", "higher_is_better"), ("trial", "number"), ("trial", "state"), ("trial", "candidate"),
        ("trial", "parameters"), ("trial", "parameters"), ("trial", "score"), ("trial", "error"), ("trial", "worker"), ("trial", "attempts"), ("trial", "started"),
        ("trial", "heartbeat"), ("epoch", "epoch"), ("epoch", "score"), ("epoch", "seconds"),
    ];

    private static readonly string[] s_values = ["-1", "0", "1e308", "9e999", "-9e999", "2147483648", "9223372036854775807", "''", "'x'", "x'ff00'", "'null'", "'Complete'", "'Pruned'", "'Failed'", "'7'", "NULL"];

    private static readonly string[] s_schemas =
    [
        "DROP TABLE epoch", "DROP TABLE study", "ALTER TABLE trial DROP COLUMN score", "DELETE FROM study", "DELETE FROM trial",
        "DROP TABLE study; CREATE VIEW study AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS name, x AS space, x AS metric, x AS higher_is_better FROM n",
    ];

    public byte[] Mutate(byte[] file)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, file);
            using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
            {
                connection.Open();
                Run(connection, "PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF");
                for (var times = random.Next(1, 3); times > 0; times--)
                    Change(connection);
            }
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private void Change(SqliteConnection connection)
    {
        if (random.Next(15) == 0)
        {
            Run(connection, s_schemas[random.Next(s_schemas.Length)]);
            return;
        }
        var (table, column) = s_columns[random.Next(s_columns.Length)];
        var value = s_values[random.Next(s_values.Length)];
        if (column is "space" or "parameters" && random.Next(4) > 0)
            value = $"'{Damaged(connection, $"SELECT {column} FROM {table} LIMIT 1").Replace("'", "''", StringComparison.Ordinal)}'";
        Run(connection, $"UPDATE {table} SET {column} = {value} WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET {random.Next(3)})");
    }

    private string Damaged(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        var json = command.ExecuteScalar() as string ?? "{}";
        return Encoding.UTF8.GetString(new JsonMutator(random).Mutate(Encoding.UTF8.GetBytes(json)));
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // A constraint does not allow it, or the table is gone.
        }
    }
}
