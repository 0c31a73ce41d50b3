using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Writes a training to a file now and then, so that it survives its process, and takes it up again. What cannot be written is
/// reported, and the training goes on in memory.
/// </summary>
internal sealed class Snapshots : ITrainingCallback
{
    public const string FileName = "training.snapshot.safetensors";

    private readonly IHostEnvironment? _environment;
    private readonly string _folder, _path;
    private readonly Dictionary<string, string> _settings;
    private TimeSpan _last;

    public Snapshots(TrainingState state, string folder, IHostEnvironment? environment)
    {
        (_environment, _folder, _path) = (environment, Path.GetFullPath(folder), Path.Combine(Path.GetFullPath(folder), FileName));
        _settings = state.Options.Describe();
        foreach (var (name, value) in state.Task.Identity)
            _settings[name] = value;
    }

    /// <summary>Goes on where the folder's snapshot ends, if there is one.</summary>
    /// <exception cref="InvalidOperationException">The snapshot is of another training.</exception>
    /// <exception cref="CheckpointException">The snapshot is damaged.</exception>
    public void Resume(TrainingState state)
    {
        if (File.Exists(_path))
        {
            Snapshot.Read(_path, state, _settings);
            Tell(MLNet.Info, $"Going on from {_path}: epoch {state.Epoch + 1}, step {state.Step + 1}.");
        }
        _last = state.Elapsed;
        Try(state, () =>
        {
            Directory.CreateDirectory(_folder);
            // What a process left that was killed while it wrote.
            foreach (var unfinished in Directory.GetFiles(_folder, FileName + ".*.tmp"))
                File.Delete(unfinished);
        });
    }

    public void OnStepEnd(TrainingState state)
    {
        var options = state.Options;
        var isDue = (options.SnapshotSteps > 0 && (state.GlobalStep + 1) % options.SnapshotSteps == 0)
            || (state.Elapsed - _last).TotalMinutes >= options.SnapshotMinutes;
        if (isDue)
            Write(state, state.Step + 1);
    }

    /// <summary>Keeps what a cancelled training has done; a finished one is in its model, and its snapshot goes.</summary>
    public void End(TrainingState state)
    {
        if (state.StopReason == StopReason.Cancelled)
            Write(state, state.Step);
        else
            Try(state, () => File.Delete(_path));
    }

    private void Write(TrainingState state, int nextStep)
    {
        Try(state, () => Snapshot.Write(_path, state, nextStep, _settings));
        _last = state.Elapsed;
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
            var error = $"The snapshot of the training cannot be written to {_folder}: {e.Message} Training goes on without it; if the process ends, what was learnt since the last snapshot is lost.";
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
