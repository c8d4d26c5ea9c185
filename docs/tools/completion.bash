# Completion for bash of going and its tools. `. completion.bash`, or as files or links named
# going, going-ctl, going-status, going-lint, going-import in
# /usr/share/bash-completion/completions.

_going_names() { # DIR [off]: its services
  local file name
  for file in "$1"/*; do
    name=${file##*/}
    [[ -z ${2-} ]] || name=${name%.off}
    [[ ! -f $file || ! $name =~ ^[A-Za-z0-9_@-]+$ ]] || echo "$name"
  done
}

_going_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_going_files() { mapfile -t COMPREPLY < <(compgen "-$1" -- "$word") && compopt -o filenames; }

_going() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} tool=${COMP_WORDS[0]##*/}
  local dir=/etc/going.d i action='' place=0
  for ((i = 1; i < COMP_CWORD; i++)); do
    case $tool:${COMP_WORDS[i]} in
      *:-d) dir=${COMP_WORDS[++i]} ;;
      *:-[rwt]) [[ $tool == going && ${COMP_WORDS[i]} == -t ]] || ((++i)) ;;
      *:-*) ;;
      *) ((++place)) && action=${action:-${COMP_WORDS[i]}} ;;
    esac
  done
  COMPREPLY=()
  case $last in
    -d | -r) _going_files d && return ;;
    -w) _going_files f && return ;;
  esac
  case $tool in
    going) _going_words '-d -r -w -t -h -V' ;;
    going-status)
      [[ $word == -* ]] && _going_words '-d -r --help' || _going_words "$(_going_names "$dir")" ;;
    going-lint) [[ $word == -* ]] && _going_words '-d --help' || _going_files f ;;
    going-import) [[ $word == -* ]] && _going_words --help || _going_files f ;;
    going-ctl)
      case $place:$action in
        *:) _going_words 'start stop restart reload status signal wait -d -r -t --help' ;;
        2:wait) _going_words 'up down ready' ;;
        2:signal) _going_words 'HUP INT QUIT ABRT KILL USR1 USR2 ALRM TERM CONT WINCH STOP' ;;
        *:start) _going_words "$(_going_names "$dir" off)" ;;
        *) _going_words "$(_going_names "$dir")" ;;
      esac ;;
  esac
}

complete -F _going going going-ctl going-status going-lint going-import
