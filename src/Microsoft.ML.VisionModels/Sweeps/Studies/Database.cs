using System.Data.Common;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.ML.VisionModels.Core;
using Npgsql;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>The database that stores studies, with the few pieces of SQL in which SQLite and PostgreSQL differ.</summary>
internal abstract partial class Database : IDisposable
{
    /// <summary>The seconds since 1970 by the clock of the database, which is the same for all workers.</summary>
    public abstract string Now { get; }

    /// <summary>The end of a SELECT that locks its rows and skips rows that are locked.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>The end of a SELECT that locks its rows and waits for rows that are locked.</summary>
    public abstract string Lock { get; }

    /// <summary>A statement that prevents other workers from creating the tables at the same time; null where none is needed.</summary>
    public virtual string? LockSchema => null;

    /// <summary>Its name in messages, without a password.</summary>
    public abstract string Name { get; }

    /// <param name="storage">The path of a file, a PostgreSQL connection string ("Host=…") or URI ("postgres://…"), or null for memory.</param>
    /// <param name="toWrite">Whether anything will be written.</param>
    /// <exception cref="FileNotFoundException">There is no file to read.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder of a file to write is not there.</exception>
    /// <exception cref="InvalidDataException">The file cannot be read, or is no sound database.</exception>
    public static Database Open(string? storage, bool toWrite = true) => storage switch
    {
        null => new Sqlite($"Data Source=file:{Guid.NewGuid():N}?mode=memory&cache=shared", "memory", toWrite),
        _ when IsUri(storage) => new Postgres(FromUri(storage)),
        _ when !IsFile(storage) => new Postgres(new NpgsqlConnectionStringBuilder(storage)),
        _ when toWrite => OpenToWrite(Path.GetFullPath(storage)),
        _ => OpenToRead(Path.GetFullPath(storage)),
    };

    /// <summary>Whether a storage is the path of a file.</summary>
    public static bool IsFile(string storage) => !IsUri(storage) && !ConnectionString().IsMatch(storage);

    public abstract DbConnection Connect();

    /// <summary>Whether an error says that the database is damaged, or no database.</summary>
    public virtual bool IsDamage(DbException error) => false;

    public virtual void Dispose()
    {
    }

    private static string Connection(string source, SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder { DataSource = source, Mode = mode, DefaultTimeout = 60 }.ToString();

    private static Sqlite OpenToWrite(string path)
    {
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new DirectoryNotFoundException($"A study cannot be stored in {path}: there is no such folder.");
        try
        {
            return new Sqlite(Connection(path, SqliteOpenMode.ReadWriteCreate), path, toWrite: true);
        }
        catch (SqliteException e) when (!e.IsTransient)
        {
            throw new InvalidDataException($"A study cannot be stored in {path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// A file to read. SQLite makes files beside it for those who read along with others, for which it needs the right to write there.
    /// Where nobody has left changes in such a file, nobody changes the study, and it can be read without.
    /// </summary>
    private static Sqlite OpenToRead(string path)
    {
        InputFile.Open(path, (problem, cause) => new InvalidDataException($"The study in {path} cannot be read: {problem}", cause)).Dispose();
        var isLive = HasContent(path + "-wal") || HasContent(path + "-journal");
        try
        {
            var database = new Sqlite(Connection(isLive ? path : new Uri(path).AbsoluteUri + "?immutable=1", SqliteOpenMode.ReadOnly), path, toWrite: false);
            if (database.Damage() is not { } damage)
                return database;
            database.Dispose();
            throw new InvalidDataException($"The study in {path} is damaged: {damage}");
        }
        catch (SqliteException e)
        {
            var hint = isLive ? $" It has changes in {path}-wal or {path}-journal; if the folder cannot be written, copy these files together to another." : "";
            throw new InvalidDataException($"The study in {path} cannot be read: {e.Message}{hint}", e);
        }

        static bool HasContent(string file) => File.Exists(file) && new FileInfo(file).Length > 0;
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
            builder[pair[0]] = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]).Replace("-", "", StringComparison.Ordinal) : "";    // "verify-full" of a URI is "VerifyFull" in Npgsql
        }
        return builder;
    }

    // Several settings with semicolons between them, or only the name of the server.
    [GeneratedRegex(@"^\s*(Host|Server)\s*=|^\s*[\w ]+=[^;]*;", RegexOptions.IgnoreCase)]
    private static partial Regex ConnectionString();

    private sealed class Sqlite : Database
    {
        // SQLite's numbers of errors.
        private const int Corrupt = 11, NotADatabase = 26;

        private readonly string _connection;
        private readonly SqliteConnection _first;     // a database in memory exists as long as there is a connection to it

        public Sqlite(string connection, string name, bool toWrite)
        {
            (_connection, Name) = (connection, name);
            _first = (SqliteConnection)Connect();
            if (toWrite)
                Run("PRAGMA journal_mode = WAL");
        }

        public override string Now => "((julianday('now') - 2440587.5) * 86400.0)";

        // SQLite needs no locks of rows: a transaction that writes locks the whole file.
        public override string SkipLocked => "";

        public override string Lock => "";

        public override string Name { get; }

        public override DbConnection Connect()
        {
            var connection = new SqliteConnection(_connection);
            connection.Open();
            return connection;
        }

        public override bool IsDamage(DbException error) =>
            error is SqliteException { SqliteErrorCode: Corrupt or NotADatabase } || error.Message.Contains("no such column", StringComparison.Ordinal);

        /// <summary>What is wrong with the file; null where it is sound. Its pages may refer to each other in circles, and what looks like a table may be a query without end.</summary>
        public string? Damage()
        {
            if (Run("PRAGMA quick_check(1)") is not "ok" and var problem)
                return $"{problem}";
            return Count("") == 0 || Count("AND type = 'table'") == 3 ? null : "it lacks one of its three tables.";

            long Count(string condition) => (long)Run($"SELECT count(*) FROM sqlite_master WHERE name IN ('study', 'trial', 'epoch') {condition}")!;
        }

        public override void Dispose()
        {
            _first.Dispose();
            SqliteConnection.ClearPool(_first);
        }

        private object? Run(string sql)
        {
            using var command = _first.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteScalar();
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

/// <summary>A connection to the database of a study, with or without a transaction. In every command, @study is the name of the study.</summary>
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

    /// <returns>The number of rows that were changed.</returns>
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

    /// <summary>The first row; the default where there is none.</summary>
    public T Single<T>(string sql, Func<DbDataReader, T> read, T orDefault, params (string Name, object? Value)[] parameters)
    {
        var rows = Query(sql, read, parameters);
        return rows.Count > 0 ? rows[0] : orDefault;
    }

    public void Commit() => _transaction?.Commit();

    public void Dispose()
    {
        _transaction?.Dispose();    // rolls back a transaction that was not committed
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
