using System.Data.Common;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>Where studies are kept, and the few words in which SQLite and PostgreSQL differ.</summary>
internal abstract partial class Database : IDisposable
{
    /// <summary>The seconds since 1970 by the database's clock, which all workers share.</summary>
    public abstract string Now { get; }

    /// <summary>Ends a SELECT that locks the rows it gives, and passes over those that are locked.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>Ends a SELECT that locks the rows it gives, and waits for those that are locked.</summary>
    public abstract string Lock { get; }

    /// <summary>Keeps all others from making the tables at the same time.</summary>
    public virtual string? LockSchema => null;

    /// <summary>For people, without passwords.</summary>
    public abstract string Name { get; }

    /// <param name="storage">A file's path, a PostgreSQL connection string ("Host=…") or URI ("postgres://…"), or null for memory.</param>
    /// <param name="toWrite">Whether anything will be written.</param>
    public static Database Open(string? storage, bool toWrite = true) => storage switch
    {
        null => new Sqlite($"Data Source=file:{Guid.NewGuid():N}?mode=memory&cache=shared", "memory", toWrite),
        _ when IsUri(storage) => new Postgres(FromUri(storage)),
        _ when !IsFile(storage) => new Postgres(new NpgsqlConnectionStringBuilder(storage)),
        _ => new Sqlite(new SqliteConnectionStringBuilder { DataSource = Path.GetFullPath(storage), DefaultTimeout = 60 }.ToString(), Path.GetFullPath(storage), toWrite),
    };

    /// <summary>Whether a storage is a file's path.</summary>
    public static bool IsFile(string storage) => !IsUri(storage) && !ConnectionString().IsMatch(storage);

    public abstract DbConnection Connect();

    public virtual void Dispose()
    {
    }

    private static bool IsUri(string storage) =>
        storage.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || storage.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    private static NpgsqlConnectionStringBuilder FromUri(string text)
    {
        var uri = new Uri(text);
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host, Port = uri.Port > 0 ? uri.Port : 5432, Database = uri.AbsolutePath.TrimStart('/'),
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null, Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        foreach (var setting in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = setting.Split('=', 2);
            builder[pair[0]] = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]).Replace("-", "", StringComparison.Ordinal) : "";    // sslmode=verify-full is VerifyFull here
        }
        return builder;
    }

    // Settings with semicolons between them, or the server's name alone.
    [GeneratedRegex(@"^\s*(Host|Server)\s*=|^\s*[\w ]+=[^;]*;", RegexOptions.IgnoreCase)]
    private static partial Regex ConnectionString();

    private sealed class Sqlite : Database
    {
        private readonly string _connection;
        private readonly SqliteConnection _first;     // a database in memory lives as long as a connection to it

        public Sqlite(string connection, string name, bool toWrite)
        {
            (_connection, Name) = (connection, name);
            _first = (SqliteConnection)Connect();
            if (!toWrite)
                return;
            using var command = _first.CreateCommand();
            command.CommandText = "PRAGMA journal_mode = WAL";
            command.ExecuteNonQuery();
        }

        public override string Now => "((julianday('now') - 2440587.5) * 86400.0)";

        // A transaction that writes locks the whole file.
        public override string SkipLocked => "";

        public override string Lock => "";

        public override string Name { get; }

        public override DbConnection Connect()
        {
            var connection = new SqliteConnection(_connection);
            connection.Open();
            return connection;
        }

        public override void Dispose()
        {
            _first.Dispose();
            SqliteConnection.ClearPool(_first);
        }
    }

    private sealed class Postgres(NpgsqlConnectionStringBuilder connection) : Database
    {
        private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connection);

        public override string Now => "extract(epoch FROM clock_timestamp())::double precision";

        public override string SkipLocked => "FOR UPDATE SKIP LOCKED";

        public override string Lock => "FOR UPDATE";

        public override string LockSchema => "SELECT pg_advisory_xact_lock(7305186392)";

        public override string Name => $"{connection.Host}:{connection.Port}/{connection.Database}";

        public override DbConnection Connect() => _source.OpenConnection();

        public override void Dispose() => _source.Dispose();
    }
}
