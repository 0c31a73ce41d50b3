using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Writes a training to a file now and then, so that it survives its process, and takes it up again. What cannot be written is
/// reported, and the training goes on in memory.
/// </summary>
internal sealed class Snapshots : ITrainingCallback, IDisposable
{
    public const string FileName = "training.snapshot.safetensors";
    private const string LockName = "training.lock";

    private readonly IHostEnvironment? _environment;
    private readonly string _folder, _path;
    private readonly Dictionary<string, string> _settings;
    private TimeSpan _last;
    private FileStream? _lock;

    public Snapshots(TrainingState state, string folder, IHostEnvironment? environment)
    {
        (_environment, _folder, _path) = (environment, Path.GetFullPath(folder), Path.Combine(Path.GetFullPath(folder), FileName));
        _settings = new Dictionary<string, string>(state.Plan.Description);
        foreach (var (name, value) in state.Task.Identity)
            _settings[name] = value;
    }

    /// <summary>Goes on where the folder's snapshot ends, if there is one.</summary>
    /// <exception cref="InvalidOperationException">The snapshot is of another training, or one is under way in this folder.</exception>
    /// <exception cref="CheckpointException">The snapshot is damaged.</exception>
    public void Resume(TrainingState state)
    {
        Try(state, () => Directory.CreateDirectory(_folder));
        Try(state, Lock);
        if (File.Exists(_path))
        {
            Snapshot.Read(_path, state, _settings);
            Tell(MLNet.Info, $"Going on from {_path}: epoch {state.Epoch + 1}, step {state.Step + 1}.");
        }
        _last = state.Elapsed;
        // What a process left that was killed while it wrote.
        if (_lock is not null)
            Try(state, () => Array.ForEach(Directory.GetFiles(_folder, FileName + ".*.tmp"), File.Delete));
    }

    public void OnStepEnd(TrainingState state)
    {
        var plan = state.Plan;
        var isDue = (plan.SnapshotSteps > 0 && state.GlobalStep % plan.SnapshotSteps == 0)
            || (state.Elapsed - _last).TotalMinutes >= plan.SnapshotMinutes;
        if (isDue)
            Write(state);
    }

    /// <summary>Keeps what a canceled training has done; a finished one is in its model, and its snapshot goes.</summary>
    public void End(TrainingState state)
    {
        if (state.StopReason == StopReason.Canceled)
            Write(state);
        else
        {
            var error = state.SnapshotError;    // that a file could be deleted says nothing of one that could not be written
            Try(state, () => File.Delete(_path));
            state.SnapshotError ??= error;
        }
    }

    public void Dispose() => _lock?.Dispose();

    private void Write(TrainingState state)
    {
        Try(state, () => Snapshot.Write(_path, state, _settings));
        _last = state.Elapsed;
    }

    /// <summary>Keeps other trainings out of the folder until this one ends. The system gives the lock back where the process is killed.</summary>
    private void Lock()
    {
        var path = Path.Combine(_folder, LockName);
        try
        {
            _lock = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new InvalidOperationException($"Another training keeps its snapshots in {_folder}: two would overwrite each other. Set another SnapshotFolder.");
        }
    }

    private void Try(TrainingState state, Action write)
    {
        try
        {
            write();
            state.SnapshotError = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var error = $"The snapshot of the training cannot be written to {_folder}: {e.Message} Training goes on without it; if the process ends, what was learned since the last snapshot is lost.";
            if (state.SnapshotError is null)    // once, not every few minutes
                Tell(MLNet.Warning, error);
            state.SnapshotError = error;
        }
    }

    private void Tell(Action<IChannel, string> how, string message)
    {
        using var channel = _environment?.Start("Snapshots");
        if (channel is not null)
            how(channel, message);
    }
}
