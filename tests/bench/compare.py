#!/usr/bin/python3
"""Take the same gradient steps with the library and with PyTorch, by turns, and say how they compare.

    compare.py build/tests/bench [--rounds 5] [--threads 2] [--switches follow|hold] [--sweeps FREE,NUDGED]
               [--relaxation X] [--checkpoint MODEL=FILE]... [--backpropagation] [MODEL]...

With --backpropagation: a step with the library's default settings beside one of backpropagation in PyTorch through the model's
feedforward twin.

Every contestant is a process that takes a step whenever it is told to, on the same processors; one works at a time.
Figures are medians. JSON lines go to standard output, a table for people to standard error.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {"scaling_small_100": 32, "splitting_small_3block_10": 32, "hopfield_resnet13_10": 32,
          "dense_784": 128}  # and their batches
BACKPROPAGATION_MODELS = ["scaling_small_100", "splitting_small_3block_10"]
TOLERANCES = "1e-4,1e-2"


def say(bench, values):
    rounded = {key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in values.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


class Contestant:
    """A program that answers each line of its input with a step."""

    def __init__(self, command, threads, blas_threads):
        processors = sorted(os.sched_getaffinity(0))[:threads]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": str(blas_threads), "OMP_NUM_THREADS": str(blas_threads)}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment, preexec_fn=lambda: os.sched_setaffinity(0, processors))
        self.steps = []

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare: {' '.join(self.process.args)} ended early")
        return json.loads(line)

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.steps.append(self.read())

    def median(self, key):
        return statistics.median(step[key] for step in self.steps)

    def row(self):
        return {key: self.median(key) for key in self.steps[0] if key != "bench"}

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit(f"compare: {' '.join(self.process.args)} failed")


class Comparison:
    def __init__(self, options, model, folder):
        self.options, self.model, self.folder = options, model, folder
        self.weights = "trained" if model in options.checkpoint else "fresh"
        self.contestants, self.facts = {}, {}

    def ours(self, threads, *arguments):
        command = [self.options.bench, "step", self.model, "--batch", str(MODELS.get(self.model, 32)), "--threads",
                   str(threads), *arguments]
        if self.model in self.options.checkpoint:
            command += ["--checkpoint", self.options.checkpoint[self.model]]
        return Contestant(command + self.sweeps(), threads, 1)

    def sweeps(self):
        return ["--sweeps", self.options.sweeps] if self.options.sweeps else []

    def theirs(self, file, *arguments):
        threads = self.options.threads
        command = [sys.executable, os.path.join(HERE, "pytorch_step.py"), file, "--threads", str(threads), *arguments]
        return Contestant(command + self.sweeps(), threads, threads)

    def agree(self, switches):
        """Return the smallest cosine of PyTorch's gradients to ours, at equal sweeps."""
        file = os.path.join(self.folder, f"{self.model}_{switches}.safetensors")
        self.ours(self.options.threads, "--switches", switches, "--write", file).end()
        contestant = self.theirs(file, "--switches", switches)
        self.facts[f"cosine_to_pytorch_{switches}"] = contestant.read()["smallest_cosine"]
        return contestant

    def start(self):
        self.agree("hold").end()
        pytorch = self.agree("follow")
        switches = ["--switches", self.options.switches]
        relaxed = ["--relaxation", self.options.relaxation] if self.options.relaxation else []
        tolerance = self.ours(self.options.threads, "--tolerances", TOLERANCES, *relaxed, *switches)
        self.facts["cosine_of_tolerance_to_fixed"] = tolerance.read()["smallest_cosine"]
        mixed = self.ours(self.options.threads, "--tolerances", TOLERANCES, "--precision", "mixed", *relaxed, *switches)
        self.facts["cosine_of_mixed_to_fixed"] = mixed.read()["smallest_cosine"]
        self.contestants = {"ours, all sweeps": self.ours(self.options.threads, *switches),
                            "PyTorch, all sweeps": pytorch, "ours, tolerances": tolerance,
                            "ours, tolerances, mixed": mixed}
        if self.options.threads > 1:
            self.contestants["ours, all sweeps, one thread"] = self.ours(1, *switches)

    def run(self):
        self.start()
        for _ in range(self.options.rounds):
            for contestant in self.contestants.values():
                contestant.step()
        for contestant in self.contestants.values():
            contestant.end()
        self.ratios()

    def ratios(self):
        all_sweeps, pytorch, tolerance, mixed = list(self.contestants.values())[:4]
        self.facts["speed_at_equal_sweeps"] = pytorch.median("ms") / all_sweeps.median("ms")
        self.facts["speed_with_tolerances"] = pytorch.median("ms") / tolerance.median("ms")
        self.facts["speed_with_mixed_precision"] = pytorch.median("ms") / mixed.median("ms")
        self.facts["tolerances_over_mixed"] = tolerance.median("ms") / mixed.median("ms")
        self.facts["memory_of_pytorch"] = all_sweeps.median("peak_resident_mib") / pytorch.median("peak_resident_mib")
        one = self.contestants.get("ours, all sweeps, one thread")
        if one:
            self.facts["threads_speed"] = one.median("ms") / all_sweeps.median("ms")

    def switches(self):
        return self.options.switches

    def print(self):
        about = {"model": self.model, "weights": self.weights, "batch": MODELS.get(self.model, 32),
                 "switches": self.switches(), "threads": self.options.threads, "rounds": self.options.rounds}
        print(f"\n{self.model}, {self.weights} weights", file=sys.stderr)
        print(f"  {'':30}{'ms':>8}{'forward':>10}{'settling':>10}{'gradients':>10}{'sweeps':>14}{'MiB':>7}",
              file=sys.stderr)
        for name, contestant in self.contestants.items():
            row = contestant.row()
            say("compare", {**about, "contestant": name, **row})
            sweeps = f"{row['free_sweeps']:.1f} + {row['nudged_sweeps']:.1f}"
            print(f"  {name:30}{row['ms']:8.0f}{row['forward_ms']:10.0f}{row['settling_ms']:10.0f}"
                  f"{row['gradients_ms']:10.0f}{sweeps:>14}{row['peak_resident_mib']:7.0f}", file=sys.stderr)
        say("compared", {**about, **self.facts})
        for name, fact in self.facts.items():
            print(f"  {name:34}{fact:.6f}" if "cosine" in name else f"  {name:34}{fact:.2f}", file=sys.stderr)


class Backpropagation(Comparison):
    """The default settings beside the twin's step."""

    def switches(self):
        return "hold"

    def start(self):
        file = os.path.join(self.folder, f"{self.model}.safetensors")
        self.ours(self.options.threads, "--write", file).end()
        ours = self.ours(self.options.threads, "--settings", "default")
        self.facts["cosine_to_settled_states"] = ours.read()["smallest_cosine"]
        command = [sys.executable, os.path.join(HERE, "pytorch_backpropagation.py"), file, "--threads",
                   str(self.options.threads)]
        twin = Contestant(command, self.options.threads, self.options.threads)
        twin.step()  # to warm up, as ours has
        twin.steps.clear()
        self.contestants = {"ours, default settings": ours, "PyTorch, backpropagation": twin}

    def ratios(self):
        ours, twin = self.contestants.values()
        self.facts["times_backpropagation"] = ours.median("ms") / twin.median("ms")
        self.facts["memory_of_backpropagation"] = ours.median("peak_resident_mib") / twin.median("peak_resident_mib")


def checkpoint(text):
    model, separator, file = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text}: expected MODEL=FILE")
    return model, file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the library's program")
    parser.add_argument("models", nargs="*", metavar="MODEL", default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=min(2, len(os.sched_getaffinity(0))))
    parser.add_argument("--switches", choices=["follow", "hold"], default="follow",
                        help="of our pools under a nudge; PyTorch's follow in what is timed")
    parser.add_argument("--sweeps", metavar="FREE,NUDGED", help="of both; default as in the recipe")
    parser.add_argument("--relaxation", metavar="X", help="of our sweeps with tolerances; default as in the recipe")
    parser.add_argument("--backpropagation", action="store_true",
                        help="our default settings beside a step of backpropagation in PyTorch, and nothing else")
    parser.add_argument("--checkpoint", type=checkpoint, action="append", default=[], metavar="MODEL=FILE",
                        help="the values of the model's parameters; default those of seed 0")
    options = parser.parse_intermixed_args()
    options.models = options.models or (BACKPROPAGATION_MODELS if options.backpropagation else list(MODELS))
    options.checkpoint = dict(options.checkpoint)
    for model in options.checkpoint:
        if model not in options.models:
            parser.error(f"--checkpoint {model}: expected one of {', '.join(options.models)}")
    if not options.backpropagation:
        rates = [sys.executable, os.path.join(HERE, "pytorch_step.py"), "rates", "--threads", str(options.threads)]
        subprocess.run(rates, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": str(options.threads)})
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            comparison = (Backpropagation if options.backpropagation else Comparison)(options, model, folder)
            comparison.run()
            comparison.print()


if __name__ == "__main__":
    main()
