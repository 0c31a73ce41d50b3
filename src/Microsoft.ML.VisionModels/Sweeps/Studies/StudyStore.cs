using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>
/// A study in a database: its trials and their epochs. Any number of workers in any number of processes may use it at the same time. A trial
/// belongs to the worker that claimed it as long as heartbeats of this worker arrive, and only this worker can finish it.
/// </summary>
internal sealed class StudyStore : IDisposable
{
    /// <summary>A trial that was begun so often, and whose workers all died, counts as failed.</summary>
    private const int MaxAttempts = 5;

    private const string Columns = "number, state, candidate, parameters, score, error, worker, attempts, started, heartbeat";

    private const string IsOwned = "study = @study AND number = @number AND worker = @worker AND attempts = @attempts AND state = 'Running'";

    private readonly Database _database;
    private readonly double _heartbeatTimeout;

    private StudyStore(Database database, string name, double heartbeatTimeout) => (_database, Name, _heartbeatTimeout) = (database, name, heartbeatTimeout);

    /// <summary>The study's name.</summary>
    public string Name { get; }

    /// <summary>The name of the database, for messages.</summary>
    public string Place => _database.Name;

    public Space Space { get; private set; } = new([]);

    public bool HigherIsBetter { get; private set; }

    public string Metric { get; private set; } = "";

    /// <summary>Opens a study, and creates it where there is none.</summary>
    /// <param name="storage">The storage, see <see cref="Database.Open"/>.</param>
    /// <param name="name">The study's name.</param>
    /// <param name="space">The space that it searches.</param>
    /// <param name="metric">The name of the metric.</param>
    /// <param name="higherIsBetter">Whether higher scores are better.</param>
    /// <param name="heartbeatTimeout">The seconds without a heartbeat after which a worker counts as dead.</param>
    /// <exception cref="InvalidOperationException">The study exists and searches something else.</exception>
    public static StudyStore Open(string? storage, string name, Space space, string metric, bool higherIsBetter, double heartbeatTimeout = 60)
    {
        var store = new StudyStore(Database.Open(storage), name, heartbeatTimeout);
        try
        {
            store.MakeTables();
            store.Write(session => session.Execute(
                "INSERT INTO study (name, space, metric, higher_is_better) VALUES (@study, @space, @metric, @higher) ON CONFLICT DO NOTHING",
                ("space", PlainJson.Write(space)), ("metric", metric), ("higher", higherIsBetter ? 1 : 0)));
            store.ReadStudy();
            if (PlainJson.Write(store.Space) != PlainJson.Write(space) || store.Metric != metric || store.HigherIsBetter != higherIsBetter)
            {
                throw new InvalidOperationException(
                    $"The study '{name}' in {store.Place} searches another space, or for another metric ({store.Metric}), than this sweep. Name another study.");
            }
            store.Space = space;    // the numbers of the given space have their original types
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Opens a study for reading.</summary>
    /// <exception cref="InvalidOperationException">There is no such study.</exception>
    /// <exception cref="InvalidDataException">The study is damaged, or its file cannot be read.</exception>
    public static StudyStore Open(string storage, string name)
    {
        var store = new StudyStore(Database.Open(storage, toWrite: false), name, heartbeatTimeout: double.PositiveInfinity);
        try
        {
            store.ReadStudy();
            return store;
        }
        catch (DbException error) when (error.SqlState == "42P01" || error.Message.Contains("no such table", StringComparison.Ordinal))
        {
            store.Dispose();
            throw new InvalidOperationException($"There is no study in {store.Place}.", error);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Gives a trial to a worker: one that is waiting, or a new one.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="maxTrials">How many trials the study should have.</param>
    /// <param name="propose">Proposes a new trial, given the trials so far; null where there is nothing left to try.</param>
    public Claim Claim(string worker, int maxTrials, Func<SweepHistory, Proposal?> propose)
    {
        if (Write(session => TakeWaiting(session, worker)) is { } waiting)
            return new(waiting, false);

        // One worker at a time proposes a new trial, so that it knows the new trials of all others.
        return Write(session =>
        {
            var trials = LockedTrials(session);
            if (trials.Any(trial => trial.State == SweepTrialState.Waiting) && TakeWaiting(session, worker) is { } returned)
                return new(returned, false);
            var history = new SweepHistory(Space, trials, HigherIsBetter);
            if (trials.Count >= maxTrials || propose(history) is not { } proposal)
                return new(null, trials.Any(trial => !trial.IsOver));
            return new Claim(Add(session, worker, history.Next, proposal), false);
        });
    }

    /// <summary>Gives a worker a new trial with hyper-parameters that were chosen elsewhere.</summary>
    public SweepTrial Begin(string worker, Proposal proposal) => Write(session =>
        Add(session, worker, new SweepHistory(Space, LockedTrials(session), HigherIsBetter).Next, proposal));

    /// <summary>Adds an epoch to a trial.</summary>
    /// <returns>Whether the trial still belongs to this worker.</returns>
    public bool Report(SweepTrial trial, SweepEpoch epoch) => Write(session =>
    {
        if (!IsOwn(session, trial))
            return false;
        session.Execute("INSERT INTO epoch (study, number, epoch, score, seconds) VALUES (@study, @number, @epoch, @score, @seconds) ON CONFLICT DO NOTHING",
            ("number", trial.Number), ("epoch", epoch.Epoch), ("score", epoch.Score), ("seconds", epoch.Seconds));
        return true;
    });

    /// <summary>Stores a heartbeat: the worker of a trial is alive.</summary>
    public void Beat(SweepTrial trial) => Write(session => session.Execute(
        $"UPDATE trial SET heartbeat = {_database.Now} WHERE {IsOwned}", OwnOf(trial)));

    /// <summary>Gives a trial back, so that it can be claimed and run from its beginning. The attempt does not count.</summary>
    public void Release(SweepTrial trial) => Write(session => session.Execute(
        $"UPDATE trial SET state = 'Waiting', attempts = attempts - 1 WHERE {IsOwned}", OwnOf(trial)));

    /// <summary>Ends a trial.</summary>
    /// <returns>Whether the trial still belonged to this worker. If not, nothing was changed.</returns>
    public bool Finish(SweepTrial trial, SweepTrialState state, double? score, string? error = null) => Write(session => session.Execute(
        $"UPDATE trial SET state = @state, score = @score, error = @error, heartbeat = {_database.Now} WHERE {IsOwned}",
        [("state", state.ToString()), ("score", score), ("error", error), .. OwnOf(trial)])) == 1;

    /// <summary>All trials with their epochs, by number.</summary>
    public IReadOnlyList<SweepTrial> Trials() => Do(transaction: false, Trials);

    public SweepHistory History() => new(Space, Trials(), HigherIsBetter);

    public void Dispose() => _database.Dispose();

    private void MakeTables() => Write(session =>
    {
        if (_database.LockSchema is { } lockSchema)
            session.Execute(lockSchema);
        return session.Execute("""
            CREATE TABLE IF NOT EXISTS study (name TEXT PRIMARY KEY, space TEXT NOT NULL, metric TEXT NOT NULL, higher_is_better INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS trial (
                study TEXT NOT NULL REFERENCES study, number INTEGER NOT NULL, state TEXT NOT NULL, candidate TEXT NOT NULL, parameters TEXT NOT NULL,
                score DOUBLE PRECISION, error TEXT, worker TEXT, attempts INTEGER NOT NULL, started DOUBLE PRECISION, heartbeat DOUBLE PRECISION,
                PRIMARY KEY (study, number));
            CREATE TABLE IF NOT EXISTS epoch (
                study TEXT NOT NULL, number INTEGER NOT NULL, epoch INTEGER NOT NULL, score DOUBLE PRECISION NOT NULL, seconds DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (study, number, epoch));
            """);
    });

    private void ReadStudy()
    {
        (Space, Metric, HigherIsBetter) = Do(transaction: false, session => session.Single("SELECT space, metric, higher_is_better FROM study WHERE name = @study",
            Stored(reader => (Space.Read(reader.GetString(0)), reader.GetString(1), Whole(reader, 2) != 0)), orDefault: default));
        if (Space is null)
            throw new InvalidOperationException($"There is no study '{Name}' in {Place}.");
    }

    /// <summary>All trials. Until the transaction ends, no other worker can add one.</summary>
    private List<SweepTrial> LockedTrials(Session session)
    {
        session.Single("SELECT name FROM study WHERE name = @study " + _database.Lock, reader => reader.GetString(0), orDefault: null);
        return Trials(session);
    }

    private SweepTrial Add(Session session, string worker, int number, Proposal proposal)
    {
        session.Execute(
            $"INSERT INTO trial (study, number, state, candidate, parameters, worker, attempts, started, heartbeat) VALUES (@study, @number, 'Running', @candidate, @parameters, @worker, 1, {_database.Now}, {_database.Now})",
            ("number", number), ("candidate", proposal.Candidate), ("parameters", PlainJson.Write(proposal.Parameters)), ("worker", worker));
        return Trial(session, number);
    }

    private SweepTrial? TakeWaiting(Session session, string worker)
    {
        ReleaseAbandoned(session);
        var number = session.Single($"SELECT number FROM trial WHERE study = @study AND state = 'Waiting' ORDER BY number LIMIT 1 {_database.SkipLocked}", reader => reader.GetInt32(0), orDefault: -1);
        if (number < 0)
            return null;
        session.Execute($"UPDATE trial SET state = 'Running', worker = @worker, attempts = attempts + 1, started = {_database.Now}, heartbeat = {_database.Now} WHERE study = @study AND number = @number",
            ("worker", worker), ("number", number));
        session.Execute("DELETE FROM epoch WHERE study = @study AND number = @number", ("number", number));
        return Trial(session, number);
    }

    /// <summary>Gives back the trials of dead workers.</summary>
    private void ReleaseAbandoned(Session session)
    {
        var running = session.Query($"SELECT number, worker, attempts, {_database.Now} - heartbeat FROM trial WHERE study = @study AND state = 'Running' {_database.SkipLocked}",
            reader => (Number: reader.GetInt32(0), Worker: reader.GetString(1), Attempts: reader.GetInt32(2), Silence: reader.GetDouble(3)));
        foreach (var (number, worker, attempts, _) in running.Where(trial => trial.Silence > _heartbeatTimeout || Worker.IsGone(trial.Worker)))
        {
            session.Execute("UPDATE trial SET state = @state, error = @error WHERE study = @study AND number = @number", ("number", number),
                ("state", (attempts < MaxAttempts ? SweepTrialState.Waiting : SweepTrialState.Failed).ToString()),
                ("error", attempts < MaxAttempts ? null : $"Its worker died {attempts} times, the last time {worker}."));
        }
    }

    // The row is locked until the end of the transaction, so that the trial cannot be given to another worker in the meantime.
    private bool IsOwn(Session session, SweepTrial trial) => session.Query($"SELECT number FROM trial WHERE {IsOwned} {_database.Lock}", reader => reader.GetInt32(0), OwnOf(trial)).Count == 1;

    private static (string, object?)[] OwnOf(SweepTrial trial) => [("number", trial.Number), ("worker", trial.Worker), ("attempts", trial.Attempts)];

    private SweepTrial Trial(Session session, int number) => session.Single($"SELECT {Columns} FROM trial WHERE study = @study AND number = @number", Stored(ReadTrial), null!, ("number", number));

    private List<SweepTrial> Trials(Session session)
    {
        // The trials are read first, so that the epochs contain all that belong to a trial's state.
        var trials = session.Query($"SELECT {Columns} FROM trial WHERE study = @study ORDER BY number", Stored(ReadTrial));
        var epochs = session.Query("SELECT number, epoch, score, seconds FROM epoch WHERE study = @study ORDER BY number, epoch",
            Stored(reader => (Number: Whole(reader, 0), Epoch: new SweepEpoch(Whole(reader, 1), Finite(reader, 2), Finite(reader, 3))))).ToLookup(row => row.Number, row => row.Epoch);
        return [.. trials.Select(trial => trial with { Epochs = [.. epochs[trial.Number]] })];
    }

    private SweepTrial ReadTrial(DbDataReader reader)
    {
        var branch = Space[reader.GetString(2)];
        double? started = reader.IsDBNull(8) ? null : Finite(reader, 8);
        var state = Enum.Parse<SweepTrialState>(reader.GetString(1));
        if (!Enum.IsDefined(state) || (state == SweepTrialState.Complete && reader.IsDBNull(4)))
            throw new FormatException($"Trial {Whole(reader, 0)} is {state}, and has no score.");
        return new()
        {
            Number = Whole(reader, 0),
            State = state,
            Candidate = branch.Name,
            Parameters = branch.Read(PlainJson.Read<Dictionary<string, object>>(reader.GetString(3))),
            Score = reader.IsDBNull(4) ? null : Finite(reader, 4),
            Error = reader.IsDBNull(5) ? null : reader.GetString(5),
            Worker = reader.IsDBNull(6) ? null : reader.GetString(6),
            Attempts = Whole(reader, 7),
            Started = started is { } s ? DateTimeOffset.UnixEpoch.AddSeconds(s) : null,
            Duration = started is null || reader.IsDBNull(9) ? default : TimeSpan.FromSeconds(Math.Max(0, Finite(reader, 9) - started.Value)),
        };
    }

    // A column of SQLite may hold anything, and its GetDouble takes a text for 0.
    private static int Whole(DbDataReader reader, int column) => Convert.ToInt32(reader.GetValue(column), CultureInfo.InvariantCulture);

    private static double Finite(DbDataReader reader, int column) => Convert.ToDouble(reader.GetValue(column), CultureInfo.InvariantCulture) is var value && double.IsFinite(value)
        ? value : throw new FormatException($"Its {reader.GetName(column)} is {value}.");

    /// <summary>Reads a row as this class writes it; what another has made of it may be anything.</summary>
    private Func<DbDataReader, T> Stored<T>(Func<DbDataReader, T> read) => reader =>
    {
        try
        {
            return read(reader);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or FormatException or InvalidCastException or OverflowException
            or ArgumentException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"The study '{Name}' in {Place} is damaged: {e.Message}", e);
        }
    };

    private T Write<T>(Func<Session, T> work) => Do(transaction: true, work);

    private T Do<T>(bool transaction, Func<Session, T> work)
    {
        // Transient errors, such as a restart of the server or a deadlock, are tried again.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var session = Session.Begin(_database, Name, transaction);
                var result = work(session);
                session.Commit();
                return result;
            }
            catch (DbException error) when (error.IsTransient && attempt < 10)
            {
                Thread.Sleep(TimeSpan.FromSeconds(Math.Min(10, 0.1 * Math.Pow(2, attempt))));
            }
            catch (DbException error) when (_database.IsDamage(error))
            {
                throw new InvalidDataException($"The study '{Name}' in {Place} is damaged: {error.Message}", error);
            }
        }
    }
}

/// <summary>The answer to a worker that claims a trial.</summary>
/// <param name="Trial">The trial; null where there is none.</param>
/// <param name="OthersRun">Where there is none, whether other workers are running trials, which may be given back.</param>
internal sealed record Claim(SweepTrial? Trial, bool OthersRun);
