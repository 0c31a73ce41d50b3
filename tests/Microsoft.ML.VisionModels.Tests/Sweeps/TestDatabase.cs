using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Npgsql;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>
/// Where the tests keep studies: memory, a SQLite file, or the PostgreSQL server that the environment variable VISIONMODELS_POSTGRES
/// names, whose tests are skipped where it is absent. Studies on the server have names of their own.
/// </summary>
internal sealed class TestDatabase : IDisposable
{
    public static TheoryData<string> Kinds => ["memory", "sqlite", "postgres"];

    private readonly TestFolders.TemporaryFolder? _folder;

    public TestDatabase(string kind)
    {
        _folder = kind == "sqlite" ? TestFolders.Temporary() : null;
        var server = Environment.GetEnvironmentVariable("VISIONMODELS_POSTGRES");
        Assert.SkipWhen(kind == "postgres" && string.IsNullOrEmpty(server), "There is no PostgreSQL: VISIONMODELS_POSTGRES names none.");
        Storage = kind switch { "memory" => null, "sqlite" => _folder!.File("study.db"), _ => server };
    }

    public string? Storage { get; }

    public string Study { get; } = $"test {Guid.NewGuid():N}";

    /// <summary>Makes every worker's last sign of life so much older. Not in memory, which is the store's alone.</summary>
    public void LetPass(int seconds)
    {
        using DbConnection connection = Database.IsFile(Storage!) ? new SqliteConnection($"Data Source={Storage};Pooling=False") : new NpgsqlConnection(Storage);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"UPDATE trial SET heartbeat = heartbeat - {seconds} WHERE study = '{Study}'";
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _folder?.Dispose();
        if (Storage is null || Database.IsFile(Storage))
            return;
        using var source = NpgsqlDataSource.Create(Storage);
        foreach (var (table, column) in new[] { ("epoch", "study"), ("trial", "study"), ("study", "name") })
        {
            using var command = source.CreateCommand($"DELETE FROM {table} WHERE {column} = @study");
            command.Parameters.AddWithValue("study", Study);
            command.ExecuteNonQuery();
        }
    }
}
